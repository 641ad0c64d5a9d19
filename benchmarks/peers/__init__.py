"""Other tools, each in an environment of its own, and babelproof beside them, all asked over the same lines of JSON."""
