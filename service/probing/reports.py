"""A finished report in the forms it can be had in, each packed into one gzip file and cut into parts."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from probes.render import FORMS, write_form
from probes.report import Report

KINDS = {"json": "application/json", "html": "text/html", "md": "text/markdown", "csv": "text/csv"}
_PART = 256 * 1024


@dataclass(frozen=True, slots=True)
class Packed:
    """The files of a report; can be gone through again and again."""

    folder: Path
    sha256: str
    """Of the JSON, as it was before it was packed."""

    @classmethod
    def of(cls, report: Report, folder: Path, look: Callable[[], None]) -> Packed:
        """Pack the forms of a report into a folder, looking up from time to time."""
        whole = hashlib.sha256()
        for form in KINDS:
            look()
            plain = folder / FORMS[form].file
            write_form(report, form, plain)
            # no name and no time in it: equal reports are equal bytes
            with (
                plain.open("rb") as source,
                (folder / form).open("wb") as file,
                gzip.GzipFile("", "wb", 6, file, mtime=0) as packed,
            ):
                while part := source.read(_PART):
                    look()
                    packed.write(part)
                    if form == "json":
                        whole.update(part)
            plain.unlink()
        return cls(folder, whole.hexdigest())

    def __iter__(self) -> Iterator[tuple[str, int, bytes]]:
        """Form, number and bytes of every part."""
        for form in KINDS:
            with (self.folder / form).open("rb") as file:
                number = 0
                while part := file.read(_PART):
                    yield form, number, part
                    number += 1
