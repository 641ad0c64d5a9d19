"""Who may use what: the key of a request, its role, its limits. Without keys everybody may use everything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from service.http.errors import Refusal
from service.keys.limits import Limits
from service.keys.register import FollowedKeys, Key, Keys, KeysError, Role, inline
from service.settings import Settings

Needs = Role | Literal["nothing"]
"""What a route asks of a client."""
_UNKNOWN = (
    "Send a key this service knows, as `Authorization: Bearer KEY` or `X-API-Key: KEY`; who runs it gives them out."
)


@dataclass(frozen=True, slots=True)
class Client:
    """Who sent a request."""

    name: str
    key: Key

    @property
    def max_jobs(self) -> int | None:
        """Jobs that may wait or run for it at once; None is no bound of its own."""
        return self.key.max_jobs


class Access:
    """Admits requests and counts what they use; without keys there are no clients, and all is open."""

    def __init__(self, settings: Settings) -> None:
        self._keys = _keys(settings)
        self._limits = Limits(settings.state / "limits")
        self._metrics_open = settings.metrics_open

    def admit(self, headers: Sequence[tuple[bytes, bytes]], needs: Needs) -> Client | None:
        """The client of a request, which has what the route needs; Refusal 401, 403 or 429."""
        if self._keys is None or needs == "nothing" or (needs == "metrics" and self._metrics_open):
            return None
        found = self._keys.find(_secret(headers))
        if found is None:
            raise Refusal(401, "unauthorized", _UNKNOWN, {"WWW-Authenticate": "Bearer"})
        client = Client(*found)
        if not client.key.may(needs):
            raise Refusal(403, "forbidden", f"This key may {_may(client.key)}; this address needs the role {needs}.")
        self._limits.take(client.key, requests=1)
        return client

    def spend(self, client: Client | None, texts: int) -> None:
        """Count the texts of an admitted request; Refusal 429 when the client has not so many left.

        Fewer than none gives back what came to nothing.
        """
        if client is not None:
            self._limits.take(client.key, texts=texts)

    def close(self) -> None:
        self._limits.close()


def _keys(settings: Settings) -> Keys | None:
    """The keys there are, from a file or a variable; KeysError."""
    if settings.keys is not None and settings.keys_inline:
        raise KeysError("BABELPROOF_KEYS and BABELPROOF_KEYS_INLINE", "each names all the keys; set one of them")
    if settings.keys is not None:
        return FollowedKeys(settings.keys)
    return Keys(inline(settings.keys_inline, "BABELPROOF_KEYS_INLINE")) if settings.keys_inline else None


def _secret(headers: Sequence[tuple[bytes, bytes]]) -> str:
    """The key a request carries, "" without one; of two the bearer's counts."""
    sent = ""
    for name, value in headers:
        if name == b"authorization" and value[:7].lower() == b"bearer ":
            return value[7:].strip().decode("latin-1")
        if name == b"x-api-key":
            sent = value.strip().decode("latin-1")
    return sent


def _may(key: Key) -> str:
    return " and ".join(
        {"use": "classify and probe", "jobs": "run jobs", "metrics": "read metrics"}[r] for r in key.roles
    )
