"""The serving engine of one model in one process: batches by length and urgency, deadlines, priorities, admission."""

from __future__ import annotations

from runtime.engine.serving import Engine
from runtime.engine.stats import Stats
from runtime.engine.ticket import EngineError, Overloaded, Priority, Ticket, TooLargeError
from runtime.engine.turns import Limits

__all__ = ["Engine", "EngineError", "Limits", "Overloaded", "Priority", "Stats", "Ticket", "TooLargeError"]
