"""Behavioural tests on the command line: `babelproof behave`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from probes import behaviour
from probes.behaviour import BehaviourReport, LabelError, SuiteError
from probes.files import write_text
from probes.report import ReportError
from runtime.speaking import console, progress, refusals
from runtime.targets import TARGETS, open_classifier


def behave(
    model: Annotated[str, typer.Option(help=TARGETS)],
    task: Annotated[str, typer.Option(help=f"What the model does: {', '.join(behaviour.TASKS)}.")],
    lang: Annotated[list[str] | None, typer.Option(help="Only this language; may be given again.")] = None,
    tests: Annotated[list[str] | None, typer.Option(help="Only this test; may be given again.")] = None,
    label: Annotated[
        list[str] | None, typer.Option(help="positive=POS: what the model calls a label; may be given again.")
    ] = None,
    suite: Annotated[list[Path] | None, typer.Option(help="More tests, in a .toml file of your own.")] = None,
    cases: Annotated[int, typer.Option(help="Cases of each test and language, at most.", min=1, max=10_000)] = 40,
    seed: Annotated[int, typer.Option(help="Fixes which fillings are drawn.", min=0)] = 0,
    show: Annotated[int, typer.Option(help="Print so many failing cases of each test and language.", min=0)] = 0,
    out: Annotated[Path | None, typer.Option(help="Write the results to this .json or .md file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of a table.")] = False,
) -> None:
    """Test whether a model does what the task asks, language by language: known answers, changes that must not matter.

    For example:

        babelproof behave --model models/topics --task topic

        babelproof behave --model models/topics --task topic --lang de --lang hi --tests contrast --show 3

        babelproof behave --model http://127.0.0.1:3000 --task sentiment --label positive=POS --label negative=NEG
    """
    with refusals(SuiteError, LabelError):
        if out is not None and out.suffix not in (".json", ".md"):
            raise ReportError(f"{out}: results are written to a file that ends in .json or .md")
        said = behaviour.parse_labels(label or ())
        read = behaviour.load(*(suite or ()))
        classifier = open_classifier(model)
        with progress(task) as advance:
            report = behaviour.behave(
                read, task, classifier, langs=lang or (), tests=tests or (), labels=said, cases=cases, seed=seed,
                progress=advance,
            )  # fmt: skip
        if out is not None:
            _written(report, out, show)
    if as_json:
        typer.echo(report.to_json(), nl=False)
        return
    console().print(behaviour.terminal(report))
    for line in behaviour.examples(report, show):
        typer.echo(line)


def _written(report: BehaviourReport, out: Path, show: int) -> None:
    text = report.to_json() if out.suffix == ".json" else behaviour.markdown(report, show)
    try:
        write_text(out, text)
    except OSError as error:
        raise ReportError(f"the results cannot be written: {error}") from error
    typer.echo(f"written: {out}", err=True)
