"""What is found wrong, or unwise, before any worker starts."""

from __future__ import annotations

import ipaddress
import logging
import resource
import ssl
from contextlib import closing

from service.http.cors import origins
from service.http.traces import traces
from service.keys.access import Access
from service.keys.register import KeysError
from service.live.plan import plan
from service.probing.database import Database, DatabaseAway, DatabaseError
from service.settings import Settings, SettingsError

log = logging.getLogger("babelproof.supervisor")
_OTHER_FILES = 256


def check(settings: Settings, host: str) -> None:
    """SettingsError names a setting that no worker could serve with; what is open to everybody is said."""
    origins(settings)
    plan(settings)
    if (tracing := traces(settings)) is not None:
        tracing.close()
    if settings.log_format not in ("text", "json"):
        raise SettingsError(f"BABELPROOF_LOG_FORMAT must be text or json, not {settings.log_format!r}")
    if settings.prober_priority not in ("idle", "low", "normal"):
        said = f"BABELPROOF_PROBER_PRIORITY must be idle, low or normal, not {settings.prober_priority!r}"
        raise SettingsError(said)
    _check_jobs(settings)
    try:
        Access(settings).close()
    except KeysError as error:
        raise SettingsError(str(error)) from None
    _check_tls(settings)
    _make_room(settings)
    if not settings.keyed and not _loopback(host):
        log.warning("everybody who reaches %s may use everything: there are no keys (BABELPROOF_KEYS)", host)
    if settings.keyed and settings.tls_cert is None and not _loopback(host):
        log.warning("keys and texts travel in the clear unless something in front speaks TLS (--tls-cert, --tls-key)")


def _check_jobs(settings: Settings) -> None:
    """A database that is away now may come; one that can never be used is an error."""
    try:
        database = Database(settings.jobs_url, settings.state)
        with closing(database), database.reading():
            pass
    except DatabaseError as error:
        raise SettingsError(str(error)) from None
    except DatabaseAway as away:
        log.warning("jobs wait: %s", away.sentence)


def _check_tls(settings: Settings) -> None:
    cert, key = settings.tls_cert, settings.tls_key
    if (cert is None) != (key is None):
        raise SettingsError("--tls-cert and --tls-key (BABELPROOF_TLS_CERT, BABELPROOF_TLS_KEY) go together")
    if cert is not None and key is not None:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password=lambda: "")
        except (OSError, ValueError) as error:
            raise SettingsError(f"no TLS with {cert} and {key}: {error}") from None


def _make_room(settings: Settings) -> None:
    """Let a worker have as many files open as its connections need; it inherits the limit."""
    wanted = 2 * settings.max_connections + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
        if allowed < wanted:
            log.warning("%d connections need %d open files; a process may have %d", wanted // 2, wanted, hard)


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
