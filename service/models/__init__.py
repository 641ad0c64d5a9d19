"""The models that are served: by name, reloaded while they serve, rolled back, shadowed by a candidate."""

from service.models.registry import Models, absolute, folders, patiently
from service.models.served import Served

__all__ = ["Models", "Served", "absolute", "folders", "patiently"]
