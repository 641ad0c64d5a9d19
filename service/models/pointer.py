"""Which model a name stands for, in a file that all workers read: so a rollback holds in all of them, and lasts."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path

from probes.files import write_text
from service.models.folder import Place

log = logging.getLogger("babelproof.models")


@dataclass(frozen=True, slots=True)
class Pointer:
    """`active` is served as long as the model's own folder holds `over`; new content there ends that."""

    active: Place
    previous: Place | None
    over: str


def read(path: Path) -> Pointer | None:
    """The pointer as it stands; None where there is none, or none that can be read."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        previous = _place(said["previous"]) if said["previous"] else None
        return Pointer(_place(said["active"]), previous, str(said["over"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.error("%s cannot be read (%s) and is passed over", path, type(error).__name__)
        return None


def write(path: Path, pointer: Pointer) -> None:
    """Put it down whole, for all workers; raises OSError."""
    previous = _said(pointer.previous) if pointer.previous else None
    write_text(
        path, json.dumps({"active": _said(pointer.active), "previous": previous, "over": pointer.over}, indent=1) + "\n"
    )


def _place(said: dict[str, str]) -> Place:
    return Place(str(said["sha256"]), Path(said["folder"]))


def _said(place: Place) -> dict[str, str]:
    return {"sha256": place.sha256, "folder": str(place.folder)}
