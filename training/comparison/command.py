"""The command `babelproof-train compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

COMPARE_EXAMPLES = """Examples:

  babelproof-train compare paraphrase --data DATA --out runs/paraphrase-compared

  babelproof-train compare plain.toml adversarial.toml --suite nli --data DATA --out runs/two --seeds 3

  babelproof-train compare paraphrase --data DATA --out runs/paraphrase-compared --report-only"""


def compare_command(
    asked: Annotated[
        list[str],
        typer.Argument(
            metavar="PLAN|RECIPE...",
            help="One comparison (a .toml file, or the name of one that ships), or several recipes.",
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the cells and for report.md, .html, .json, tables/, arms/.")],
    data: Annotated[Path, typer.Option(help="Folder the data sets lie in.")] = Path("data"),
    seeds: Annotated[int, typer.Option(min=1, help="So many, counted up from that of the baseline's recipe.")] = 5,
    suite: Annotated[str, typer.Option(help="Suite by name or file; a plan names its own.")] = "",
    baseline: Annotated[str, typer.Option(help="Arm the others are held against; else the one that is plain.")] = "",
    encoder: Annotated[str | None, typer.Option(help="Encoder folder or hub name instead of the recipes'.")] = None,
    max_rows: Annotated[int | None, typer.Option(min=1, help="At most so many rows of each set and language.")] = None,
    draws: Annotated[int, typer.Option(min=100, help="Resamples of the paired differences.")] = 10_000,
    keep_models: Annotated[bool, typer.Option("--keep-models", help="Keep the torch model of every cell.")] = False,
    report_only: Annotated[bool, typer.Option("--report-only", help="Train nothing; render what is there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Train recipes under several seeds, evaluate them, and hold each against plain of as many updates.

    A comparison that was cut short goes on where it stopped; cells that are finished are not made again.
    """
    notes = Console(stderr=True)
    try:
        # torch and transformers take seconds to import: only now
        from transformers.utils import logging as transformers_logging

        from training.comparison import plan
        from training.comparison.cells import Lab
        from training.comparison.findings import findings
        from training.comparison.matrix import Matrix
        from training.comparison.report import Report

        transformers_logging.set_verbosity_error()
        comparison = plan.load(asked, suite=suite, baseline=baseline, encoder=encoder)
        lab = Lab(data, out, comparison.suite, max_rows=max_rows, keep_models=keep_models)
        matrix = Matrix(comparison, lab, seeds)
        if not report_only:
            matrix.run(notes)
        options = {"--suite": suite, "--baseline": baseline, "--encoder": encoder, "--max-rows": max_rows}
        said = [*asked, *(f"{name} {value}" for name, value in options.items() if value), f"--seeds {seeds}"]
        command = f"babelproof-train compare {' '.join(said)} --data DATA --out DIR"
        report = Report(findings(matrix, command=command, draws=draws, reports=out / "arms"))
        written = report.write(out)
    except (ValueError, OSError) as error:
        notes.print(f"[red]error:[/red] {error}", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error
    if as_json:
        typer.echo(report.to_json(), nl=False)
    else:
        for line in (*report.verdicts, *filter(None, [report.missing])):
            typer.echo(line)
    notes.print(f"report: {written[0]}", soft_wrap=True)
