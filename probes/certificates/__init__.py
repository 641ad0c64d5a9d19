"""Certified robustness: radii in embedding space and in edits, and reports of them."""
