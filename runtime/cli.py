"""The `babelproof` command: probe a model, look at reports and at what there is to probe with, serve."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from probes import battery as batteries
from probes import render
from probes.data import DataError, read_examples
from probes.packs import PackError, attack_steps
from probes.report import Report, ReportError
from probes.steps import Battery
from probes.types import Example
from runtime import catalogue, pack_command
from runtime.doctor import examine
from runtime.gate import Gate
from runtime.speaking import Format, console, print_json, progress, refusals, show_report, table
from runtime.targets import open_classifier

app = typer.Typer(
    help="See where a text classifier breaks, language by language.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    add_completion=False,
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON in place of a table.")]


@app.command()
def run(
    battery: Annotated[str, typer.Argument(help="A battery's name, a .toml file, or a report.json to run again.")],
    model: Annotated[str, typer.Option(help="A model folder, an http(s) address, or module:attr.")],
    data: Annotated[Path | None, typer.Option(help="Examples, .jsonl or .tsv (or .gz); a report has its own.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for report.json, .csv, .md and .html.")] = None,
    limit: Annotated[int | None, typer.Option(help="Examples per language.", min=1)] = None,
    lang: Annotated[list[str] | None, typer.Option(help="Only this language; may be given again.")] = None,
    deadline: Annotated[float | None, typer.Option(help="Seconds after which to stop and report.", min=0)] = None,
    fail_under: Annotated[
        list[str] | None,
        typer.Option(help="Exit 1 if fewer predictions hold: 0.8 for every language, de=0.9 for one."),
    ] = None,
    pack: Annotated[Path | None, typer.Option(help="Write the attacks that succeeded to this .jsonl file.")] = None,
    as_json: Json = False,
) -> None:
    """Probe a model with a battery and print what flips, language by language.

    For example:

        babelproof run quick --model models/topics --data examples/demo.jsonl --out report

        babelproof run noise --model http://127.0.0.1:3000 --data test.tsv --lang de --lang hi --limit 100

        babelproof run quick --model models/topics --data test.jsonl --fail-under 0.7 --fail-under en=0.9
    """
    with refusals(PackError):
        gates = [Gate.parse(text) for text in fail_under or []]
        chosen, examples = _input(battery, data, limit)
        if lang:
            examples = [e for e in examples if e.lang in lang or e.lang.split("-")[0] in lang]
            if not examples:
                raise DataError(f"there are no examples in {', '.join(lang)}")
        if pack is not None:
            attack_steps(chosen)
        classifier = open_classifier(model)
        with progress(chosen.name) as advance:
            report = batteries.run(chosen, classifier, examples, deadline=deadline, progress=advance)
        if out is not None:
            _written(report, out)
        if pack is not None:
            pack_command.write(report, classifier, model, pack)
        show_report(report, Format.json if as_json else Format.table)
        failed = [said for gate in gates for said in gate.failures(report)]
    for said in failed:
        typer.echo(f"failed: {said}", err=True)
    if failed:
        raise typer.Exit(1)


app.command()(pack_command.replay)


@app.command("list")
def list_(
    kind: Annotated[str | None, typer.Argument(help="perturbations, attacks, batteries or languages.")] = None,
    as_json: Json = False,
) -> None:
    """List perturbations, attacks, batteries and languages.

    Example: babelproof list languages
    """
    with refusals():
        found = {name: catalogue.rows(name) for name in ([kind] if kind else catalogue.KINDS)}
    if as_json:
        print_json(found)
        return
    for name, rows in found.items():
        console().print(table(name, rows))


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A perturbation, attack, battery, language, or a saved report.json.")],
    form: Annotated[Format, typer.Option("--format", help="How a report is shown.")] = Format.table,
    out: Annotated[Path | None, typer.Option(help="Write to this file.")] = None,
    as_json: Json = False,
) -> None:
    """Show one thing: what a name means, or a saved report in any form.

    For example:

        babelproof show homoglyph

        babelproof show report/report.json --format html --out report.html
    """
    form = Format.json if as_json else form
    with refusals():
        if name.endswith(".json"):
            show_report(_saved(Path(name)), form, out)
            return
        kind, row = catalogue.find(name)
    if form is Format.json:
        print_json(row)
    elif kind == "batteries":
        console().print(table(f"battery {row['name']}, version {row['version']}, seed {row['seed']}", row["steps"]))
    else:
        console().print(table(kind, [row]))


@app.command()
def doctor(
    model: Annotated[str | None, typer.Option(help="A model folder to look into.")] = None, as_json: Json = False
) -> None:
    """Look at Python, packages, ONNX Runtime and a model folder, and say what is wrong.

    Example: babelproof doctor --model models/topics
    """
    checks = list(examine(model))
    if as_json:
        print_json([asdict(check) for check in checks])
    else:
        shown = Table("", "what", "found", "what to do")
        for check in checks:
            mark = {True: "[green]ok[/]", False: "[bold red]bad[/]", None: "–"}[check.ok]
            shown.add_row(mark, check.name, check.found, "" if check.ok else check.advice)
        console().print(shown)
    if any(check.ok is False for check in checks):
        raise typer.Exit(1)


@app.command()
def serve(
    model: Annotated[Path, typer.Argument(help="A model folder.")],
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 3000,
) -> None:
    """Serve a model over HTTP, with a page at /.

    Example: babelproof serve models/topics --port 3000
    """
    if not Path("service", "__main__.py").is_file():
        typer.echo("error: there is no service here; run this in the checkout or in the image", err=True)
        raise typer.Exit(2)
    command = [sys.executable, "-m", "service", "--model", str(model), "--host", host, "--port", str(port)]
    os.execv(sys.executable, command)


@app.command("import")
def import_(
    source: Annotated[str, typer.Argument(help="A Hugging Face name or folder, or an ONNX file with its tokenizer.")],
    out: Annotated[Path, typer.Option(help="The model folder to make.")],
    label: Annotated[list[str] | None, typer.Option(help="Label names in order, where the model has none.")] = None,
    lang: Annotated[list[str] | None, typer.Option(help="A language the model is for; may be given again.")] = None,
    data: Annotated[Path | None, typer.Option(help="Examples on which the import must answer like the model.")] = None,
    max_length: Annotated[int | None, typer.Option(help="Tokens per text.", min=8)] = None,
    pairs: Annotated[bool, typer.Option("--pairs", help="The model reads pairs of texts.")] = False,
    fp32: Annotated[bool, typer.Option("--fp32", help="Keep full precision in place of int8.")] = False,
    licence: Annotated[str, typer.Option(help="Licence of the model.")] = "unknown",
    revision: Annotated[str | None, typer.Option(help="Revision on the hub.")] = None,
) -> None:
    """Turn a sequence-classification model into a model folder.

    For example:

        babelproof import ./my-model --out models/mine

        babelproof import model.onnx --out models/mine --label no --label yes --data examples.jsonl
    """
    try:
        importing = import_module("training.importing")
    except ImportError as error:
        typer.echo(f"error: {error.name or error} is missing; pip install 'babelproof[train]'", err=True)
        raise typer.Exit(2) from None
    with refusals(importing.ExportError):
        importing.import_model(
            source,
            out,
            labels=label,
            languages=tuple(lang or ()),
            max_length=max_length,
            precision="fp32" if fp32 else "int8",
            revision=revision,
            pairs=pairs,
            licence=licence,
            rows=read_examples(data) if data else (),
        )
    typer.echo(f"{out} is ready: babelproof serve {out}")


def _input(battery: str, data: Path | None, limit: int | None) -> tuple[Battery, list[Example]]:
    """The battery and the examples; a saved report has both."""
    if battery.endswith(".json"):
        report = _saved(Path(battery))
        return report.battery, report.examples() if data is None else read_examples(data, limit)
    if data is None:
        raise DataError("say with --data where the examples are")
    return batteries.load(battery), read_examples(data, limit)


def _saved(path: Path) -> Report:
    try:
        return Report.from_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ReportError(f"{path} cannot be read: {error}") from error
    except ReportError as error:
        raise ReportError(f"{path}: {error}") from error


def _written(report: Report, out: Path) -> None:
    try:
        paths = render.write(report, out)
    except OSError as error:
        raise ReportError(f"the report cannot be written: {error}") from error
    typer.echo(f"written: {', '.join(map(str, paths))}", err=True)


if __name__ == "__main__":
    app()
