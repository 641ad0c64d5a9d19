"""Attack packs on the command line: `run --pack` writes one, `babelproof replay` tries it on other models."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from probes.files import write_text
from probes.report import Report
from probes.searching import packs, transfer
from probes.searching.packs import PackError
from probes.types import Classifier
from runtime.speaking import console, progress, refusals, table
from runtime.targets import open_classifier


def replay(
    pack: Annotated[list[Path], typer.Argument(help="Files that `babelproof run --pack` wrote.")],
    model: Annotated[list[str], typer.Option(help="A model to try the attacks on; may be given again.")],
    out: Annotated[Path | None, typer.Option(help="Write the matrix to this .json or .md file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of a table.")] = False,
) -> None:
    """Try the attacks of packs on models and print how many transfer, model by model and language by language.

    For example:

        babelproof run attacks --model models/a --data test.jsonl --pack a.jsonl

        babelproof replay a.jsonl --model models/a --model models/b --out transfer.md
    """
    with refusals(PackError):
        if out is not None and out.suffix not in (".json", ".md"):
            raise PackError(f"{out}: the matrix is written to a file that ends in .json or .md")
        found = {str(path): packs.read(path) for path in pack}
        models = {name: open_classifier(target) for name, target in zip(_names(model), model, strict=True)}
        with progress("replay") as advance:
            matrix = transfer.replay(found, models, advance)
        if out is not None:
            _written(out, matrix.to_json() if out.suffix == ".json" else transfer.markdown(matrix))
    if as_json:
        typer.echo(matrix.to_json(), nl=False)
        return
    console().print(table("Attacks that transfer", matrix.rows()))
    console().print(table("By language", matrix.rows(by_language=True)))
    console().print(transfer.LEGEND)


def write(report: Report, classifier: Classifier, target: str, path: Path) -> None:
    """Prune what a run found and write it, with how many were minimal said on standard error."""
    [name] = _names([target])
    found = packs.collect(report, classifier, name)
    try:
        packs.write(path, found)
    except OSError as error:
        raise PackError(f"the pack cannot be written: {error}") from error
    minimal = sum(finding.minimal for finding in found)
    typer.echo(f"written: {path}, {len(found)} attacks, {minimal} of them minimal within their budget", err=True)


def _written(path: Path, text: str) -> None:
    try:
        write_text(path, text)
    except OSError as error:
        raise PackError(f"the matrix cannot be written: {error}") from error


def _names(targets: Sequence[str]) -> list[str]:
    """The last part of each target, as far as that tells them apart."""
    short = [target if "://" in target else Path(target).name for target in targets]
    return [name if short.count(name) == 1 else target for name, target in zip(short, targets, strict=True)]
