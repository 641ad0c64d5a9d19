"""API keys: the file or the text that names them, how one is made, and who a request comes from.

A key is 256 random bits, so the file holds its plain SHA-256: nobody guesses what a slow hash would have to slow down.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import re
import secrets
import time
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import tomli_w
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from probes.files import write_text

Role = Literal["use", "jobs", "metrics", "admin"]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Positive = Annotated[int, Field(gt=0, lt=2**53)]
PREFIX = "bp_"
_MOST = 1000
_LONGEST = 128
_LOOK_EVERY_S = 1.0
_MOST_CHARS = 100_000
"""Of keys in a variable; the kernel takes little more."""
_SECRET = re.compile(r"\bbp_[\w-]*|[\w-]{40,}")
"""What may be a key that somebody has put in the wrong place."""
log = logging.getLogger("babelproof.keys")


class KeysError(ValueError):
    """Keys that cannot be used; the message says where and what to do, and quotes nothing that may be a key."""

    def __init__(self, where: object, said: str) -> None:
        super().__init__(f"{where}: {_SECRET.sub('(something long)', said)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key: the digest of its secret, what it may do (admin: everything) and how much; None is no bound."""

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid", strict=True)
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    roles: Annotated[tuple[Role, ...], Field(min_length=1, strict=False)] = ("use",)
    requests_per_minute: Positive | None = None
    texts_per_minute: Positive | None = None
    texts_per_day: Positive | None = None
    max_jobs: Positive | None = None
    """Jobs that wait or run at once."""

    def may(self, role: Role) -> bool:
        return role in self.roles or "admin" in self.roles


@dataclass(frozen=True, slots=True)
class _File:
    __pydantic_config__: ClassVar = ConfigDict(extra="forbid", strict=True)
    keys: dict[Name, Key] = field(default_factory=dict)


_ADAPTER = TypeAdapter(_File)


def new() -> tuple[str, str]:
    """A secret, to be shown once, and its digest, to be kept."""
    secret = PREFIX + secrets.token_urlsafe(32)
    return secret, digest(secret)


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def read(path: Path) -> dict[str, Key]:
    """The keys of a TOML file by name, a table `[keys.NAME]` each; KeysError says what is wrong with it."""
    try:
        return parse(path.read_text(encoding="utf-8"), path)
    except FileNotFoundError:
        raise KeysError(path, "there is no file of keys here; `babelproof keys new NAME` makes one") from None
    except (OSError, UnicodeDecodeError) as error:
        raise KeysError(path, str(error)) from None


def parse(text: str, where: object) -> dict[str, Key]:
    """The keys in the text of such a file; KeysError begins with where it comes from."""
    try:
        return _checked(tomllib.loads(text), where)
    except tomllib.TOMLDecodeError as error:
        raise KeysError(where, str(error)) from None


def inline(text: str, where: object) -> dict[str, Key]:
    """The keys in a variable, of which there must be some; KeysError likewise."""
    if len(text) > _MOST_CHARS:
        raise KeysError(where, f"{len(text)} characters; at most {_MOST_CHARS} are read, use a file for more")
    if not (found := parse(text, where)):
        raise KeysError(where, "there is no key in it, so nobody could use the service")
    return found


def write(path: Path, keys: Mapping[str, Key]) -> None:
    """Write the file whole; running workers read it again within a second or so."""
    tables = {name: {k: v for k, v in asdict(key).items() if v is not None} for name, key in sorted(keys.items())}
    _checked({"keys": tables}, path)
    write_text(path, tomli_w.dumps({"keys": tables}))


def _checked(found: Mapping[str, object], where: object) -> dict[str, Key]:
    try:
        keys = _ADAPTER.validate_json(json.dumps(found, default=str)).keys
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        raise KeysError(where, f"{'.'.join(map(str, fault['loc'])) or 'all of it'}: {fault['msg']}") from None
    if len(keys) > _MOST:
        raise KeysError(where, f"{len(keys)} keys; at most {_MOST} are read")
    if len({key.sha256 for key in keys.values()}) < len(keys):
        raise KeysError(where, "two keys have the same sha256; make one of them anew")
    return keys


class Keys:
    """Keys that stay as they are."""

    def __init__(self, keys: Mapping[str, Key]) -> None:
        self._take(keys)

    def find(self, secret: str) -> tuple[str, Key] | None:
        """Name and key of a secret; None for one that is not known."""
        if len(secret) > _LONGEST:
            return None
        sent = digest(secret)
        # a client cannot steer its digest, so where it lies in a table tells it nothing; the rest takes constant time
        found = self._by_digest.get(sent)
        return found if found is not None and hmac.compare_digest(found[1].sha256, sent) else None

    def _take(self, keys: Mapping[str, Key]) -> None:
        self._by_digest = {key.sha256: (name, key) for name, key in keys.items()}


class FollowedKeys(Keys):
    """The keys of a file as it is now; while it cannot be read, those it held last stand."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp = self._stat()
        self._looked = time.monotonic()
        super().__init__(read(path))

    def find(self, secret: str) -> tuple[str, Key] | None:
        """Name and key of a secret as the file knows it, or knew it a second ago."""
        if time.monotonic() - self._looked > _LOOK_EVERY_S:
            self._look()
        return super().find(secret)

    def _look(self) -> None:
        self._looked = time.monotonic()
        if (stamp := self._stat()) == self._stamp:
            return
        self._stamp = stamp
        try:
            self._take(read(self._path))
        except KeysError as error:
            log.error("the keys stay as they were: %s", error)
        else:
            log.info("read %d keys again", len(self._by_digest))

    def _stat(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino
