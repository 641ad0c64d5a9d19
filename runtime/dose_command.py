"""`babelproof doses`: the dose each perturbation really gives in each language, measured on texts of the user's."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from probes import doses as measuring
from probes import perturbations
from probes.data import DataError, read_examples
from probes.files import write_text
from probes.render.doses import doses as markdown
from probes.steps import COVERAGE
from runtime.speaking import print_json, progress, refusals

BEGIN, END = "<!-- doses -->\n", "<!-- end -->"


def doses(
    data: Annotated[list[Path], typer.Option(help="Texts, .jsonl, .tsv, .csv (or .gz); may be given again.")],
    dose: Annotated[float, typer.Option(help="Share of graphemes to change.", min=0.001, max=1)] = 0.05,
    perturbation: Annotated[list[str] | None, typer.Option(help="Only this one; may be given again.")] = None,
    lang: Annotated[list[str] | None, typer.Option(help="Only this language; may be given again.")] = None,
    limit: Annotated[int | None, typer.Option(help="Texts per language and file.", min=1)] = None,
    coverage: Annotated[float, typer.Option(help="Least share of texts to be touched.", min=0, max=1)] = COVERAGE,
    seed: Annotated[int, typer.Option(help="Seed of the draws.", min=0)] = 0,
    into: Annotated[Path | None, typer.Option(help="Markdown file to put the table in, between its marks.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of a table.")] = False,
) -> None:
    """Measure the dose every perturbation gives in every language of some texts; no model is asked.

    For example:

        babelproof doses --data examples/demo.jsonl --limit 3 --perturbation drop --perturbation word_drop

        babelproof doses --data test.tsv --dose 0.1 --lang hi --lang th --json

    --into FILE.md replaces what stands there between `<!-- doses -->` and `<!-- end -->`.
    """
    with refusals(ValueError, OSError):
        names = perturbation or perturbations.names()
        for name in names:
            perturbations.get(name)
        examples = [e for path in data for e in read_examples(path, limit) if not lang or e.lang in lang]
        if not examples:
            raise DataError(f"there are no texts in {', '.join(lang or ())}")
        around = _around(into) if into else None
        with progress("doses") as advance:
            found = measuring.measure(examples, names, dose, seed=seed, progress=advance)
        if around and into:
            write_text(into, around[0] + markdown(found, coverage) + around[1])
    if as_json:
        print_json([asdict(one) | {"near": one.near} for one in found])
    elif into is None:
        typer.echo(markdown(found, coverage), nl=False)


def _around(into: Path) -> tuple[str, str]:
    """What stands before and after the table of a file, with the marks."""
    text = into.read_text(encoding="utf-8")
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise DataError(f"{into} has no line {BEGIN.strip()} with a line {END} after it; the table goes between them")
    return head + begin, end + tail
