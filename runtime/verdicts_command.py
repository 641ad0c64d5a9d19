"""`babelproof verdicts`: which cells of a saved report are robust, which fragile, and how languages compare."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from probes.files import write_text
from probes.render import verdicts as rendering
from probes.report import ReportError
from probes.statistics.verdicts import verdicts as judge
from runtime.inputs import open_report
from runtime.speaking import console, refusals, table


def verdicts(
    report: Annotated[Path, typer.Argument(help="A saved report.json.")],
    tolerated: Annotated[float, typer.Option(help="The flip rate that is tolerated, a share.")] = 0.1,
    reference: Annotated[str, typer.Option(help="The language the others are measured against.")] = "en",
    out: Annotated[Path | None, typer.Option(help="Write both tables to this .json or .md file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of tables.")] = False,
) -> None:
    """Say of every language and step whether it is robust, fragile or undecided, and how languages compare.

    For example:

        babelproof verdicts report/report.json --tolerated 0.1

        babelproof verdicts report/report.json --out verdicts.md
    """
    with refusals():
        if not 0 < tolerated < 1:
            raise ReportError(f"--tolerated is a share between 0 and 1, not {tolerated:g}")
        if out is not None and out.suffix not in (".json", ".md"):
            raise ReportError(f"{out}: verdicts are written to a file that ends in .json or .md")
        saved = open_report(report)
        found = judge(saved, tolerated=tolerated)
        if out is not None:
            _written(out, (rendering.to_json if out.suffix == ".json" else rendering.markdown)(saved, found, reference))
    if as_json:
        typer.echo(rendering.to_json(saved, found, reference), nl=False)
        return
    console().print(table(rendering.summary(found), list(rendering.rows(found))))
    console().print(table("Across languages", list(rendering.across_rows(saved, reference))))
    console().print(rendering.LEGEND)
    console().print(rendering.ACROSS_LEGEND)


def _written(out: Path, text: str) -> None:
    try:
        write_text(out, text)
    except OSError as error:
        raise ReportError(f"the verdicts cannot be written: {error}") from error
