"""Serving beside its peers: the same graph on the same core, open-loop load from another core, in turn."""
