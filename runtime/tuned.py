"""What was measured, kept: a tuning.json for each model and machine in the user's cache, and what a start reads of it.

It does not belong into the model folder, whose every byte is digested, and would hold on no other machine.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from probes.data import DataError, read_examples
from probes.files import write_text
from runtime.backends import Choice, candidates, find, shipped
from runtime.machine import describe, usable_cpus
from runtime.manifest import Manifest, read
from runtime.session import BackendError
from runtime.tuning import Measured, Tuning, tune

SHIPPED, TUNED, AUTO = "shipped", "tuned", "auto"
WAYS = (SHIPPED, TUNED, AUTO)
"""The folder's own graph; what `babelproof tune` found, else that graph; the same, but measured if it never was."""
_EACH = 16
"""Texts of each language that auto compares labels on."""
log = logging.getLogger("babelproof.tuning")


def place(manifest: Manifest, threads: int | None = None, cache: Path | None = None) -> Path:
    """Where the measurement of this model on this machine, with these versions and threads, is kept."""
    machine = json.dumps(describe(threads or usable_cpus()), sort_keys=True)
    name = f"{manifest.sha256[:16]}-{hashlib.sha256(machine.encode()).hexdigest()[:16]}"
    return (cache or user_cache_path("babelproof")) / "tuning" / name / "tuning.json"


def keep(tuning: Tuning, threads: int | None = None, cache: Path | None = None) -> Path:
    """Write what was measured; raises OSError."""
    path = place(tuning.manifest, threads, cache)
    content = as_json(tuning) | {"machine": describe(threads or usable_cpus())}
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    return path


def as_json(tuning: Tuning) -> dict[str, Any]:
    """A measurement as what JSON can say."""
    rows = [_row(row) for row in tuning.rows]
    told = {"model": tuning.manifest.sha256, "chosen": _named(tuning.chosen), "reference": _named(tuning.reference)}
    return {"format": 1, **told, "candidates": rows}


def recall(manifest: Manifest, threads: int | None = None, cache: Path | None = None) -> Choice | None:
    """What was chosen for this model on this machine; None where nothing was, or it can no longer be had."""
    path = place(manifest, threads, cache)
    try:
        said = json.loads(path.read_text(encoding="utf-8"))["chosen"]
        known = [shipped(manifest), *candidates(manifest, [said["backend"]])]
        return next(choice for choice in known if _named(choice) == said)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, StopIteration, BackendError) as error:
        log.warning("%s is passed over (%r); `babelproof tune` writes it again", path, error)
        return None


def choose(
    folder: Path, wanted: str, *, threads: int | None = None, texts: Path | None = None, cache: Path | None = None
) -> Choice:
    """The choice that shipped, tuned, auto, NAME or NAME:PRECISION means here; `texts` are what auto measures on.

    Raises BackendError, and ModelFolderError of the folder.
    """
    manifest = read(folder)
    if wanted == SHIPPED:
        return shipped(manifest)
    if wanted not in WAYS:
        return find(manifest, wanted)
    if (found := recall(manifest, threads, cache)) or wanted == TUNED:
        return found or shipped(manifest)
    with _alone(place(manifest, threads, cache)):
        return recall(manifest, threads, cache) or _measured(folder, threads, texts, cache)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One at a time, of all threads and processes that measure for this file; where it cannot be written, each."""
    with ExitStack() as stack:
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            fcntl.flock(stack.enter_context(path.with_suffix(".lock").open("wb")), fcntl.LOCK_EX)
        yield


def _measured(folder: Path, threads: int | None, texts: Path | None, cache: Path | None) -> Choice:
    try:
        if texts is None:
            raise DataError("no texts were named")
        tuning = tune(folder, read_examples(texts, _EACH), threads=threads, quick=True)
    except (DataError, OSError) as error:
        raise BackendError(f"nothing to measure the backends of {folder} on: {error}") from error
    log.info("measured %d candidates for %s: %s", len(tuning.rows), folder, tuning.chosen)
    try:
        keep(tuning, threads, cache)
    except OSError as error:
        log.warning("the measurement cannot be kept and every start repeats it: %s", error)
    return tuning.chosen


def _row(row: Measured) -> dict[str, Any]:
    agreement = {lang: asdict(one) for lang, one in row.agreement.items()}
    return {**_named(row.choice), "speed": row.speed, "verdict": row.verdict, "agreement": agreement}


def _named(choice: Choice) -> dict[str, str]:
    return {"backend": choice.backend, "precision": choice.precision, "file": choice.graph.file}
