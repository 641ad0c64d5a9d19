"""What may be said of the counts: intervals, tests, stopping rules, verdicts, comparisons."""
