"""What the commands that ask a running service share: its address and key, and the texts to send it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Annotated

import typer

from probes.data import DataError, stream_examples
from probes.types import Example, Item
from runtime.client import Client

Url = Annotated[str, typer.Option(help="The address of a running service.")]
KeyFile = Annotated[Path | None, typer.Option(help="A file that holds the key the service asks for.")]
Model = Annotated[str | None, typer.Option(help="One of the served models; by default the first.")]
Texts = Annotated[list[str] | None, typer.Argument(help="Texts; without any they come from --data.")]
Data = Annotated[
    str | None, typer.Option(help="Examples: .jsonl, .tsv, .csv (or .gz); any other file, or -, has a text a line.")
]
Lang = Annotated[str | None, typer.Option(help="The language of all texts; else what the data says, else detected.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON in place of a table.")]

DEFAULT_URL = "http://127.0.0.1:3000"
_TABLES = (".jsonl", ".tsv", ".csv", ".jsonl.gz", ".tsv.gz", ".csv.gz")


def opened(url: str, key_file: Path | None) -> Client:
    """A client of the service; DataError where the key cannot be read."""
    try:
        key = None if key_file is None else key_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"the key cannot be read: {error}") from error
    return Client(url, key=key)


def given(texts: Sequence[str] | None, data: str | None, lang: str | None) -> Iterator[Example]:
    """The texts as examples, in the language named, else their own; "" where nobody says it. DataError without any."""
    if texts and data is not None:
        raise DataError("say the texts, or with --data where they are, not both")
    if texts:
        found: Iterator[Example] = _examples(iter(texts))
    elif data is not None and data.endswith(_TABLES):
        found = iter(stream_examples(Path(data)))
    elif data is not None and data != "-":
        found = _examples(_lines(Path(data)))
    elif data == "-" or not sys.stdin.isatty():
        found = _examples(iter(sys.stdin))
    else:
        raise DataError("there are no texts: say them, or with --data where they are")
    first = next(found, None)
    if first is None:
        raise DataError("there are no texts to send")
    for example in chain([first], found):
        yield replace(example, lang=lang or example.lang)


def batches(examples: Iterator[Example], size: int) -> Iterator[list[Example]]:
    """So many at a time, as they come."""
    while some := list(islice(examples, size)):
        yield some


def languages(examples: Sequence[Example]) -> list[str | None]:
    """The language of each example, None where it is to be detected."""
    return [example.lang or None for example in examples]


def _examples(lines: Iterator[str]) -> Iterator[Example]:
    texts = (line.rstrip("\r\n") for line in lines)
    return (Example(str(i), Item(text), "") for i, text in enumerate(text for text in texts if text.strip()))


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8") as file:
            yield from file
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
