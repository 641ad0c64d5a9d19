"""A client of the service, for code that blocks (`Client`) and code that awaits (`AsyncClient`)."""

from __future__ import annotations

from runtime.client.awaiting import AsyncClient
from runtime.client.blocking import Client
from runtime.client.errors import Late, Refused, RemoteError, Unreachable, WrongAnswer
from runtime.client.exchange import Patience

__all__ = ["AsyncClient", "Client", "Late", "Patience", "Refused", "RemoteError", "Unreachable", "WrongAnswer"]
