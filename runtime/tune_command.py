"""`babelproof tune`: measure every graph of a model folder on every backend here, and keep the fastest that agrees."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from probes.data import read_examples
from runtime import tuned
from runtime.machine import share
from runtime.session import BackendError
from runtime.speaking import console, print_json, refusals, table
from runtime.tuning import ENOUGH, LEAST, MANY, WORTH, Measured, Tuning, tune

_LEGEND = (
    f"speed: times the shipped graph's. labels: equal to the reference's. Eligible with {LEAST:g} of the labels equal "
    f"over at least {ENOUGH} texts and in every language; with under {MANY} texts of a language, unless its 95 % "
    f"interval lies below. A change must bring {WORTH:g} times the speed."
)


def tune_(
    model: Annotated[Path, typer.Argument(help="A model folder.")],
    data: Annotated[Path, typer.Option(help="Texts on which labels are compared.")] = Path("examples/demo.jsonl"),
    backend: Annotated[list[str] | None, typer.Option(help="Only this backend; may be given again.")] = None,
    threads: Annotated[int | None, typer.Option(help="CPU threads of one run.", min=1)] = None,
    workers: Annotated[int, typer.Option(help="Workers of the service that share the CPUs.", min=1)] = 2,
    cache: Annotated[Path | None, typer.Option(help="Folder to keep it in; else the user's cache.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of a table.")] = False,
) -> None:
    """Measure each graph on each backend, for speed and for labels by language; the service then starts with the best.

    For example:

        babelproof tune models/topics

        babelproof tune models/mine --data test.jsonl --backend openvino --backend onnxruntime
    """
    threads = threads or share(workers)
    with refusals(BackendError):
        found = tune(model, read_examples(data), names=backend or (), threads=threads)
        try:
            path = tuned.keep(found, threads, cache)
        except OSError as error:
            raise BackendError(f"the measurement cannot be kept: {error}; name a folder with --cache") from error
    if as_json:
        print_json(tuned.as_json(found))
    else:
        name = f"{model}, {threads} thread{'s' if threads > 1 else ''}"
        console().print(table(name, [_shown(found, row) for row in found.rows]), _LEGEND)
    typer.echo(f"{found.chosen} ({found.chosen.graph.file}) is what the service starts with; written: {path}", err=True)


def _shown(found: Tuning, row: Measured) -> dict[str, str]:
    worst = row.agreement[row.worst] if row.worst else None
    marks = [row.verdict] + ["chosen"] * (row.choice == found.chosen) + ["reference"] * (row.choice == found.reference)
    return {
        "backend": row.choice.backend,
        "precision": row.choice.precision,
        "graph": row.choice.graph.file,
        "speed": "" if row.speed is None else f"{row.speed:.2f}",
        "labels": f"{row.all.share:.4f} of {row.all.n}" if row.all.n else "",
        "worst language": f"{row.worst} {worst.share:.3f} of {worst.n}" if worst else "",
        "verdict": ", ".join(marks),
    }
