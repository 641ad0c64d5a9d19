"""Certificates on the command line: `babelproof certify` says how many edits a model provably stands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from probes.certificates.certified import Certified, measure
from probes.certificates.deletion import Deletion
from probes.data import DataError, read_examples
from probes.files import write_text
from probes.render.certified import LEGEND, markdown, rows, summary, svg
from runtime.speaking import console, progress, refusals, table
from runtime.targets import TARGETS, open_classifier

_USUAL = Deletion()


class CertifyError(ValueError):
    """A setting that certifies nothing, or a place nothing can be written to."""


def certify(
    model: Annotated[str, typer.Option(help=TARGETS)],
    data: Annotated[Path, typer.Option(help="Examples, .jsonl, .tsv, .csv (or .gz).")],
    unit: Annotated[
        str, typer.Option(help="What is deleted, and edits are counted in: grapheme or word.")
    ] = _USUAL.unit,
    deletion: Annotated[float, typer.Option(help="Probability with which a unit is deleted.")] = _USUAL.probability,
    samples: Annotated[int, typer.Option(help="Copies of each text whose votes bound a label.")] = _USUAL.draws,
    alpha: Annotated[float, typer.Option(help="Probability with which a certificate may be wrong.")] = _USUAL.alpha,
    limit: Annotated[int | None, typer.Option(help="Examples per language.", min=1)] = None,
    lang: Annotated[list[str] | None, typer.Option(help="Only this language; may be given again.")] = None,
    seed: Annotated[int, typer.Option(help="Fixes the draws.", min=0)] = 0,
    deadline: Annotated[float | None, typer.Option(help="Seconds after which to stop and report.", min=0)] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for certificates.json, .md and .svg.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of a table.")] = False,
) -> None:
    """Certify predictions against edits by random deletion and print certified accuracy, language by language.

    A label with radius r is provably the smoothed model's under any r insertions, deletions and substitutions of units.
    A tenth more copies of each text select its label. A model that was not trained on such copies may certify little.

    For example:

        babelproof certify --model models/topics --data examples/demo.jsonl --lang de --lang hi

        babelproof certify --model models/topics --data test.jsonl --unit grapheme --deletion 0.6 --out certificates

        babelproof certify --model http://127.0.0.1:3000 --data test.tsv --limit 50 --samples 200 --alpha 0.01 --json
    """
    with refusals(CertifyError):
        how = _setting(unit, deletion, samples, alpha)
        examples = read_examples(data, limit)
        if lang:
            examples = [e for e in examples if e.lang in lang or e.lang.split("-")[0] in lang]
            if not examples:
                raise DataError(f"there are no examples in {', '.join(lang)}")
        classifier = open_classifier(model)
        with progress("certify") as advance:
            found = measure(classifier, examples, how, seed=seed, deadline=deadline, progress=advance)
        if out is not None:
            _written(found, out)
    if as_json:
        typer.echo(found.to_json(), nl=False)
        return
    console().print(table("Certified accuracy", list(rows(found))))
    console().print(f"{summary(found)}.")
    console().print(LEGEND)


def _setting(unit: str, deletion: float, samples: int, alpha: float) -> Deletion:
    try:
        how = Deletion(unit, deletion, max(10, samples // 10), samples, alpha)
    except ValueError as error:
        raise CertifyError(str(error)) from error
    if how.ceiling == 0:
        raise CertifyError(
            f"deletion {deletion:g}, {samples} samples and alpha {alpha:g} certify no edit even where all copies "
            f"agree; take a higher deletion (0.5 or less never does) or more samples"
        )
    return how


def _written(found: Certified, folder: Path) -> None:
    paths = [folder / f"certificates.{suffix}" for suffix in ("json", "md", "svg")]
    try:
        for path, text in zip(paths, (found.to_json(), markdown(found), svg(found)), strict=True):
            write_text(path, text)
    except OSError as error:
        raise CertifyError(f"the certificates cannot be written: {error}") from error
    typer.echo(f"written: {', '.join(map(str, paths))}", err=True)
