"""What a run is given: a battery and examples, or a report of an earlier run, which has both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from probes import battery as batteries
from probes.data import DataError, stream_examples
from probes.report import Report, ReportError
from probes.steps import Battery
from probes.types import Example


def open_report(path: Path) -> Report:
    """A saved report.json; ReportError names the file."""
    try:
        return Report.from_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ReportError(f"{path} cannot be read: {error}") from error
    except ReportError as error:
        raise ReportError(f"{path}: {error}") from error


def open_input(
    battery: str, data: Path | None, limit: int | None = None, langs: Sequence[str] | None = None
) -> tuple[Battery, Iterable[Example]]:
    """The battery of a name, a .toml file or a report.json, and the examples, all or those in some languages.

    DataError where there are none.
    """
    saved = open_report(Path(battery)) if battery.endswith(".json") else None
    if saved is None and data is None:
        raise DataError("say with --data where the examples are")
    chosen = batteries.load(battery) if saved is None else saved.battery
    examples = stream_examples(data, limit) if data is not None else saved.examples() if saved else ()
    return chosen, _spoken(examples, langs) if langs else examples


def _spoken(examples: Iterable[Example], langs: Sequence[str]) -> Iterator[Example]:
    found = False
    for example in examples:
        if example.lang in langs or example.lang.split("-")[0] in langs:
            found = True
            yield example
    if not found:
        raise DataError(f"there are no examples in {', '.join(langs)}")
