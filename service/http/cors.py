"""Cross-origin requests: none unless the settings list origins, and then from exactly those."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from service.http.errors import Refusal
from service.live.plan import listed
from service.settings import Settings, SettingsError

_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?|https?://\[[0-9a-f:]+\](:\d{1,5})?")
_SENT = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "Last-Event-ID",
    "X-API-Key",
    "X-Deadline-Ms",
    "X-Request-Id",
)
_READ = ("Retry-After", "Retry-After-Ms", "Server-Timing", "X-Request-Id", "X-Truncated")


def cross_origin(app: ASGIApp, settings: Settings) -> ASGIApp:
    """The application, to be called by pages of the listed origins too; cookies and the like are never asked for."""
    if not (allowed := origins(settings)):
        return app
    return CORSMiddleware(app, allowed, ("GET", "POST", "DELETE"), _SENT, expose_headers=_READ, max_age=600)


def check_origin(headers: Mapping[bytes, bytes], allowed: Container[str]) -> None:
    """Refusal 403 for what a page of another origin sends, even where the browser does not ask before it sends it.

    So no foreign page changes anything here, not even without a body: it is told no before the route hears of it.
    """
    origin, site = headers[b"origin"], headers.get(b"sec-fetch-site")
    own = origin.partition(b"://")[2] == headers.get(b"host") if site is None else site == b"same-origin"
    if not own and origin.decode("latin-1") not in allowed:
        sentence = "Pages of this origin may not call this service; BABELPROOF_CORS_ORIGINS lists those that may."
        raise Refusal(403, "foreign_origin", sentence)


def origins(settings: Settings) -> list[str]:
    """The origins of the settings; SettingsError where one is none."""
    found = listed(settings.cors_origins)
    if wrong := [origin for origin in found if not _ORIGIN.fullmatch(origin)]:
        raise SettingsError(f"BABELPROOF_CORS_ORIGINS: {wrong[0]!r} is no origin such as https://example.org")
    return found
