"""The machinery of a run: drawing and asking, workers, what is kept on disk so that a kill loses nothing."""
