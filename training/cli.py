"""The command line of the workshop: `babelproof-train`."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from training import lexicon_command, methods, recipe
from training.align import command as align
from training.comparison import command as compare
from training.evaluation import command as evaluation

app = typer.Typer(
    help="Train, align and measure classifiers for babelproof.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)

_RUN_HELP = """Train a recipe, export it to a model folder and score it, language by language.

DIR/model is what `babelproof serve` and `runtime.load` take; checkpoints and TensorBoard logs stay beside it.
A run that was cut short goes on where it stopped when the same command is given again.

Examples:

  babelproof-train run topics --data ../data --out runs/topics

  babelproof-train run my.toml --out runs/mine --encoder FacebookAI/xlm-roberta-base

  babelproof-train run nli --data ../data --out runs/try --max-rows 200 --fresh
"""


@app.command("run", help=_RUN_HELP)
def run_command(
    recipe_name: Annotated[
        str, typer.Argument(metavar="RECIPE", help="A .toml file, or the name of a shipped recipe.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder the run is written to.")],
    data: Annotated[Path, typer.Option("--data", help="Folder the recipe's data sets lie in.")] = Path("data"),
    encoder: Annotated[str | None, typer.Option(help="Encoder folder or hub name instead of the recipe's.")] = None,
    resume: Annotated[bool, typer.Option("--resume/--fresh", help="Go on with a run in DIR, or start over.")] = True,
    seed: Annotated[int | None, typer.Option(help="Seed instead of the recipe's.")] = None,
    max_rows: Annotated[int | None, typer.Option(min=1, help="At most so many rows of each set and language.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the scores as JSON.")] = False,
) -> None:
    """Train one recipe."""
    notes = Console(stderr=True, emoji=False)  # a source such as toy:train: is no emoji
    try:
        plan = recipe.load(recipe_name)
        overrides = {"encoder": encoder, "seed": seed}
        plan = replace(plan, **{key: value for key, value in overrides.items() if value is not None})  # type: ignore[arg-type]
        # torch and transformers take seconds to import: only now
        from transformers.utils import logging as transformers_logging

        from training.inputs import gather
        from training.run import run
        from training.scores import table

        transformers_logging.set_verbosity_error()
        finished = run(gather(plan, data, max_rows=max_rows), out, resume=resume, console=notes)
    except (ValueError, OSError) as error:
        notes.print(f"[red]error:[/red] {escape(str(error))}", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error
    if finished is None:  # one of several processes, not the first
        return
    if as_json:
        typer.echo(json.dumps([asdict(score) for score in finished.scores], indent=2, ensure_ascii=False))
    elif finished.scores:
        Console().print(table(finished.scores, f"{plan.name}: {finished.model}"))
    notes.print(f"model folder: {finished.model}", soft_wrap=True)


@app.command("list")
def list_command(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Name the recipes and training methods that ship.

    Example: babelproof-train list
    """
    plans = {name: recipe.load(name) for name in recipe.names()}
    ways = {name: methods.describe(name) for name in methods.names()}
    if as_json:
        told = {name: plan.description for name, plan in plans.items()}
        typer.echo(json.dumps({"recipes": told, "methods": ways}, indent=2, ensure_ascii=False))
        return
    console = Console()
    drawn = Table("name", "stages", "method", "what", title="Recipes", title_justify="left")
    for name, plan in plans.items():
        used = sorted({name for stage in plan.stage for name in stage.objective.names})
        drawn.add_row(name, ", ".join(stage.name for stage in plan.stage), ", ".join(used), plan.description)
    console.print(drawn)
    drawn = Table("name", "what", title="Methods", title_justify="left")
    for name, what in ways.items():
        drawn.add_row(name, what)
    console.print(drawn)


app.command("align", epilog=align.ALIGN_EXAMPLES)(align.align_command)
app.command("compare", epilog=compare.COMPARE_EXAMPLES)(compare.compare_command)
app.command("evaluate", epilog=evaluation.EVALUATE_EXAMPLES)(evaluation.evaluate_command)
app.command("evaluate-encoder", epilog=align.QUALITY_EXAMPLES)(align.evaluate_command)
app.command("lexicon", epilog=lexicon_command.EXAMPLES)(lexicon_command.lexicon_command)
app.command("translations", epilog=align.TRANSLATIONS_EXAMPLES)(align.translations_command)


if __name__ == "__main__":
    app()
