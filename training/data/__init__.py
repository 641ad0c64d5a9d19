"""Training and test data named in recipes: sets of the data folder or the hub, files, and the datasets library."""

from training.data.loading import Loaded, check_labels, limited, load
from training.data.public import PublicSet, public_sets
from training.data.source import DataError, Source

__all__ = ["DataError", "Loaded", "PublicSet", "Source", "check_labels", "limited", "load", "public_sets"]
