"""The command `babelproof-train lexicon`."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from probes.statistics.intervals import Share
from training import lexicon_quality
from training.align.pairs import read_pairs
from training.lexicon import LexiconError, save
from training.lexicon_build import MIN_COUNT, build
from training.word_alignment import TICKS

EXAMPLES = """Examples:

  babelproof-train lexicon pairs/ --out lexicons

  babelproof-train lexicon en-de.tsv en-sw.jsonl.gz --out lexicons --gold wordnet

  babelproof-train lexicon pairs/ --out lexicons --languages el,zh --min-count 5 --json"""


@dataclass(frozen=True)
class Made:
    """What came of one language; no file where no word was linked often enough, no precision where none is measured."""

    lang: str
    file: str | None
    pairs: int
    words: int
    precision: Share | None


def lexicon_command(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PAIRS...", help="Parallel text: .tsv or .jsonl files (or .gz, .xz), or folders."),
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder the lexicons XX.json.gz are written to.")],
    languages: Annotated[str, typer.Option(help="Codes, comma-separated; default: all in the text.")] = "",
    min_count: Annotated[int, typer.Option(min=1, help="Fewest links of a word with a translation.")] = MIN_COUNT,
    gold: Annotated[Path | None, typer.Option(help="Folder of wordnets XX.tsv on shared keys to measure by.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Make a lexicon for each language, English words to ranked translations, out of sentence-aligned text.

    A TSV names its columns in the first line: en and other languages. A JSONL row holds lang, text, and either en or an
    id that it shares with an English row. With --gold, the best translations are measured against wordnet lemmas.
    """
    notes, wanted = Console(stderr=True), languages.replace(",", " ").split()
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=notes) as progress:
            task = progress.add_task("reading", total=None)

            def show(lang: str, total: int) -> None:
                progress.update(task, description=lang, total=total, advance=1)

            made = make(paths, out, wanted, min_count=min_count, gold=gold, show=show)
    except (ValueError, OSError) as error:
        notes.print(f"[red]error:[/red] {error}", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in made], indent=2, ensure_ascii=False))
    else:
        Console().print(_table(made))
    for one in made:
        if one.file is None:
            notes.print(f"{one.lang}: no word was linked {min_count} times, so there is no file; give more text")


def make(
    paths: Sequence[Path],
    out: Path,
    wanted: Sequence[str] = (),
    *,
    min_count: int = MIN_COUNT,
    gold: Path | None = None,
    show: Callable[[str, int], None] = lambda lang, total: None,
) -> list[Made]:
    """Build, measure and save the lexicon of every language wanted; `show` is told the language and steps in all."""
    english = lexicon_quality.english_wordnet(gold) if gold else {}
    pairs = read_pairs(paths)
    langs = sorted(set(wanted or pairs.rows))
    if not langs or not pairs.rows.keys() >= set(langs):
        there = ", ".join(sorted(pairs.rows)) or "none"
        raise LexiconError(f"no parallel text for {', '.join(langs) or 'any language'}; it is there for: {there}.")
    command = _command(paths, out, wanted, min_count)
    made = []
    for lang in langs:
        lexicon = build(pairs, lang, min_count=min_count, tick=partial(show, lang, len(langs) * TICKS))
        found = lexicon_quality.precision(lexicon, english, lexicon_quality.wordnet(gold, lang)) if gold else None
        measured = asdict(found) if found else "not measured"
        told = {**lexicon.provenance, "command": command, "precision_at_1": measured}
        path = save(replace(lexicon, provenance=told), out) if lexicon.words else None
        aligned = lexicon.provenance["pairs_aligned"]
        made.append(Made(lang, str(path) if path else None, aligned, len(lexicon.words), found))
    return made


def _command(paths: Sequence[Path], out: Path, wanted: Sequence[str], min_count: int) -> str:
    """The command that makes the same files; of an absolute path the last part, for folders differ between machines."""
    shown = [path.name if path.is_absolute() else str(path) for path in (*paths, out)]
    options = [*(["--languages", ",".join(wanted)] if wanted else []), "--min-count", str(min_count)]
    return shlex.join(["babelproof-train", "lexicon", *shown[:-1], "--out", shown[-1], *options])


def _table(made: Sequence[Made]) -> Table:
    table = Table("language", "pairs", "words", "precision at 1", "n", title="Lexicons (95 % Wilson interval)")
    for one in made:
        found = one.precision
        cells = (
            (f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]", str(found.n)) if found else ("not measured", "0")
        )
        table.add_row(one.lang, str(one.pairs), str(one.words), *cells)
    return table
