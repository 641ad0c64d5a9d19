"""Writing files so that a reader, or a crash, never meets half of one."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary neighbour of path to write to; it takes path's place when the block ends, and goes when it fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str | Iterable[str]) -> None:
    """Write text, or the parts of one, as UTF-8, whole or not at all; missing folders are made."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        file.writelines([text] if isinstance(text, str) else text)


def json_text(value: Any, *, indent: int | None = None, sort_keys: bool = True) -> str:
    """A value as JSON that UTF-8 can hold: letters as they are, half a character (a lone surrogate) as its escape."""
    marks = (",", ":") if indent is None else None
    said = json.dumps(value, ensure_ascii=False, sort_keys=sort_keys, indent=indent, separators=marks, allow_nan=False)
    return said.encode("utf-8", "backslashreplace").decode()
