"""`babelproof compare`: two reports, or two models on the same battery and texts, and what changed between them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from probes import battery as batteries
from probes.data import DataError, read_examples
from probes.files import write_text
from probes.render import comparison as rendering
from probes.report import Report, ReportError
from probes.statistics import comparison
from probes.steps import Battery
from probes.types import Example
from runtime.gating import Bars, losses
from runtime.inputs import open_report
from runtime.speaking import console, fail, progress, refusals, table
from runtime.targets import open_classifier


def compare(
    first: Annotated[str, typer.Argument(help="A report.json, or a model: a folder, an address, module:attr.")],
    second: Annotated[str, typer.Argument(help="What is compared with the first; the same kinds.")],
    battery: Annotated[str | None, typer.Option(help="Of two models: the battery both are probed with.")] = None,
    data: Annotated[Path | None, typer.Option(help="Of two models: examples, .jsonl, .tsv, .csv (or .gz).")] = None,
    limit: Annotated[int | None, typer.Option(help="Of two models: examples per language.", min=1)] = None,
    margin: Annotated[
        float | None, typer.Option(help="Exit 1 if the second is shown to lose more than this share of texts.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="With --margin: exit 1 unless it is shown to lose no more.")
    ] = False,
    fail_under: Annotated[
        list[str] | None, typer.Option(help="Exit 1 unless this holds of the second; see `babelproof run`.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write every row to this .json or .md file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of a table.")] = False,
) -> None:
    """Compare two reports, or two models on the same texts, and print what changed, language by language.

    A model beside a report is probed as the report says, with its battery and its examples.

    For example:

        babelproof compare before/report.json after/report.json

        babelproof compare report/report.json models/new --margin 0.02

        babelproof compare models/a models/b --battery quick --data test.jsonl --out comparison.md
    """
    with refusals():
        if out is not None and out.suffix not in (".json", ".md"):
            raise ReportError(f"{out}: a comparison is written to a file that ends in .json or .md")
        if strict and margin is None:
            raise ReportError("--strict asks whether more than the margin is lost; say how much with --margin")
        bars = Bars.parse(fail_under or (), margin=margin or 0.0)
        one, other = _reports(first, second, battery, data, limit, bars)
        found = comparison.compare(one, other, margin=margin or 0.0)
        failed = bars.failures(other) + (losses(found, strict=strict) if margin is not None else [])
        if out is not None:
            _written(out, found.to_json() if out.suffix == ".json" else rendering.markdown(found))
    if as_json:
        typer.echo(found.to_json(), nl=False)
    else:
        console().print(table("What changed", list(rendering.rows(found, every=False))))
        console().print(f"{rendering.summary(found)}. {rendering.LEGEND}")
    fail(failed)


def _reports(
    first: str, second: str, battery: str | None, data: Path | None, limit: int | None, bars: Bars
) -> tuple[Report, Report]:
    """Both reports, read or made; what only two models need is refused where it would say nothing."""
    saved = {name: open_report(Path(name)) for name in (first, second) if name.endswith(".json")}
    needless = [name for name, value in (("--battery", battery), ("--data", data), ("--limit", limit)) if value]
    if saved and needless:
        raise ReportError(f"{' and '.join(needless)}: a report says itself what it was probed with")
    if saved:
        known = next(iter(saved.values()))
        chosen, examples = known.battery, known.examples()
    elif battery is None or data is None:
        raise DataError("two models are compared on a battery and examples; say which with --battery and --data")
    else:
        chosen, examples = batteries.load(battery), read_examples(data, limit)
    bars.check([step.name for step in chosen.steps])
    one, other = (saved.get(name) or _probed(name, chosen, examples) for name in (first, second))
    return one, other


def _probed(model: str, battery: Battery, examples: list[Example]) -> Report:
    classifier = open_classifier(model)
    with progress(model) as advance:
        return batteries.run(battery, classifier, examples, progress=advance)


def _written(out: Path, text: str) -> None:
    try:
        write_text(out, text)
    except OSError as error:
        raise ReportError(f"the comparison cannot be written: {error}") from error
