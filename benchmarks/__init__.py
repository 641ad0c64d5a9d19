"""Side-by-side measurements: ratios within one interleaved run, medians of several rounds; never part of the tests."""
