"""The command `babelproof-train evaluate`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table as Drawn

from probes.types import Classifier
from runtime.manifest import NAME as MANIFEST
from runtime.speaking import console
from runtime.targets import open_classifier
from training.evaluation import suite as suites
from training.evaluation.outcomes import Evaluation, EvaluationError

EVALUATE_EXAMPLES = """Examples:

  babelproof-train evaluate models/topics --suite topics --data DATA --out runs/topics-evaluated

  babelproof-train evaluate runs/*/stages/1-nli/model --suite nli --data DATA --out runs/nli-evaluated

  babelproof-train evaluate runs/a/evaluation-1.json.gz runs/b/evaluation-1.json.gz --out runs/both"""


def evaluate_command(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL...",
            help="A model folder, the folder of a torch model, an address, module:attr, or a saved evaluation. "
            "Several are the runs of one method under several seeds.",
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for report.md, .html, .json, tables/ and the evaluations.")],
    suite: Annotated[str, typer.Option(help="A .toml file, or the name of a suite that ships.")] = "",
    data: Annotated[Path, typer.Option(help="Folder the suite's data sets lie in.")] = Path("data"),
    seed: Annotated[int, typer.Option(min=0, help="Of the rows, the noise and the bootstrap.")] = 0,
    draws: Annotated[int, typer.Option(min=100, help="Resamples of the bootstrap.")] = 1000,
    max_rows: Annotated[
        int | None, typer.Option(min=1, help="At most so many rows of a language in each part.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Evaluate a model in every language: clean, paired across languages, noisy, attacked, near its margin."""
    notes = Console(stderr=True)
    try:
        from training.evaluation.rendering import Report
        from training.evaluation.runs import Runs

        evaluations = _evaluations(models, suite, data, out, seed=seed, max_rows=max_rows, notes=notes)
        report = Report.of(Runs(evaluations), seed=seed, draws=draws)
        written = report.write(out)
    except (ValueError, OSError) as error:
        notes.print(f"[red]error:[/red] {error}", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error
    if as_json:
        typer.echo(report.to_json(), nl=False)
    else:
        from training.evaluation.rendering import shown

        for table in report.tables[:2]:
            drawn = Drawn(*table.columns, title=table.title, title_justify="left")
            for row in table.rows:
                drawn.add_row(*(shown(cell, table.percent) for cell in row))
            console().print(drawn)
    notes.print(f"report: {written[0]}", soft_wrap=True)


def _evaluations(
    models: Sequence[str], suite: str, data: Path, out: Path, *, seed: int, max_rows: int | None, notes: Console
) -> list[Evaluation]:
    """The saved evaluations as they are, the models evaluated and saved as evaluation-N.json.gz."""
    from training.evaluation.measure import evaluate

    found = []
    for number, name in enumerate(models, 1):
        if name.endswith((".json", ".json.gz")):
            found.append(Evaluation.read(Path(name)))
            continue
        if not suite:
            raise EvaluationError(
                f"--suite says what to evaluate {name} on: {', '.join(suites.names())} or a .toml file"
            )
        plan = suites.load(suite).limited(max_rows)
        with _progress(name, notes) as progress:
            found.append(evaluate(_opened(name), plan, data, seed=seed, name=name, progress=progress))
        found[-1].write(out / f"evaluation-{number}.json.gz")
    return found


def _opened(name: str) -> Classifier:
    """A torch model where the folder is one, else what `babelproof run --model` takes."""
    folder = Path(name)
    if (folder / "model.safetensors").is_file() and not (folder / MANIFEST).is_file():
        from training.classifier import TorchClassifier  # torch takes seconds to import

        return TorchClassifier(folder, precision="auto")
    return open_classifier(name)


@contextmanager
def _progress(name: str, notes: Console) -> Iterator[Callable[[str, int, int], None]]:
    """A bar for each part."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=notes, transient=True) as bar:
        tasks = {}

        def advance(part: str, done: int, total: int) -> None:
            if part not in tasks:
                tasks[part] = bar.add_task(f"{name} {part}")
            bar.update(tasks[part], completed=done, total=total)

        yield advance
