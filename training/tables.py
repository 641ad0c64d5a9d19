"""Strict reading of TOML tables into frozen dataclasses: unknown keys and wrong types are refused by name."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from probes.registry import UnknownName, unknown

T = TypeVar("T")

_WORDS = {str: "a string", int: "a whole number", float: "a number", bool: "true or false"}


class TableError(ValueError):
    """A table that does not say what it must; the message names the place and the key."""


def named(folder: Path) -> tuple[str, ...]:
    """Names of the TOML files that ship in a folder."""
    return tuple(sorted(path.stem for path in folder.glob("*.toml")))


def open_toml(what: str, name_or_path: str | Path, folder: Path, error: type[TableError]) -> tuple[dict[str, Any], str]:
    """The table of a TOML file, or of the one that ships in the folder under that name, and where it stands.

    Raises `error`, which says what kind of thing was looked for.
    """
    path = Path(name_or_path)
    if path.suffix != ".toml":
        if str(name_or_path) not in named(folder):
            raise error(f"{unknown(what, str(name_or_path), named(folder))}; or give a .toml file")
        path = folder / f"{name_or_path}.toml"
    try:
        return tomllib.loads(path.read_text(encoding="utf-8")), str(path)
    except FileNotFoundError as found:
        raise error(f"No {what} file at {path}.") from found
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as found:
        raise error(f"{path} is not valid TOML: {found}") from found


def read(kind: type[T], table: Mapping[str, Any], where: str) -> T:
    """An instance of the dataclass `kind` filled from `table`; raises TableError that begins with `where`."""
    if not isinstance(table, Mapping):
        raise TableError(f"{where}: expected a table, found {_show(table)}.")
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    for key in table:
        if key not in fields:
            raise TableError(f"{where}: {unknown('key', key, fields)}")
    for name, field in fields.items():
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if required and name not in table:
            raise TableError(f"{where}: the key {name!r} is missing.")
    hints = get_type_hints(kind)
    values = {key: _cast(hints[key], value, f"{where}: {key}") for key, value in table.items()}
    try:
        return kind(**values)
    except (ValueError, UnknownName) as error:
        raise TableError(f"{where}: {error}") from error


def _cast(hint: Any, value: Any, where: str) -> Any:
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return _cast_union(args, value, where)
    if origin is Literal:
        if value not in args:
            raise TableError(f"{where} must be one of {', '.join(map(repr, args))}, not {_show(value)}.")
        return value
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise TableError(f"{where} must be a list, not {_show(value)}.")
        return tuple(_cast(args[0], part, f"{where}[{position}]") for position, part in enumerate(value))
    if origin is not None:
        if not isinstance(value, Mapping):
            raise TableError(f"{where} must be a table, not {_show(value)}.")
        return {key: _cast(args[1], part, f"{where}.{key}") for key, part in value.items()}
    return _cast_plain(hint, value, where)


def _cast_plain(kind: Any, value: Any, where: str) -> Any:
    if kind is Any:
        return value
    if dataclasses.is_dataclass(kind):
        parse = getattr(kind, "parse", None)
        if parse is None or not isinstance(value, str):
            return read(kind, value, where)  # type: ignore[arg-type]
        try:
            return parse(value)
        except ValueError as error:
            raise TableError(f"{where}: {error}") from error
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise TableError(f"{where} must be {_WORDS.get(kind, kind.__name__)}, not {_show(value)}.")
    return value


def _cast_union(kinds: tuple[Any, ...], value: Any, where: str) -> Any:
    problems: list[str] = []
    for kind in kinds:
        if kind is NoneType:
            continue
        try:
            return _cast(kind, value, where)
        except TableError as error:
            problems.append(str(error))
    raise TableError(" Or: ".join(problems))


def _show(value: Any) -> str:
    return f"{value!r} ({type(value).__name__})"
