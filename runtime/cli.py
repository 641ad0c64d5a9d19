"""The `babelproof` command: probe a model, look at reports and at what there is to probe with, serve."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from probes import battery as batteries
from probes.searching.packs import PackError, attack_steps
from runtime import (
    behave_command,
    catalogue,
    certify_command,
    compare_command,
    dose_command,
    fix_command,
    import_command,
    jobs_command,
    pack_command,
    predict_command,
    serve_command,
    tune_command,
    verdicts_command,
)
from runtime.doctor import examine
from runtime.gating import Bars
from runtime.inputs import open_input, open_report
from runtime.ray_engine import EngineError, EngineName, choose
from runtime.speaking import (
    Format,
    check_forms,
    console,
    fail,
    print_json,
    progress,
    refusals,
    show_report,
    table,
    write_report,
)
from runtime.targets import TARGETS, open_classifier

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
    model: Annotated[str, typer.Option(help=TARGETS)],
    data: Annotated[
        Path | None, typer.Option(help="Examples: .jsonl, .tsv, .csv (or .gz); a report has its own.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the report: .json, .csv, .md and .html.")] = None,
    form: Annotated[
        list[Format] | None, typer.Option("--format", help="What to write to --out, or to print; may be given again.")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Examples per language.", min=1)] = None,
    lang: Annotated[list[str] | None, typer.Option(help="Only this language; may be given again.")] = None,
    deadline: Annotated[float | None, typer.Option(help="Seconds after which to stop and report.", min=0)] = None,
    fail_under: Annotated[
        list[str] | None,
        typer.Option(help="Exit 1 unless this holds, such as worst-language:lower-bound>=0.70; may be given again."),
    ] = None,
    baseline: Annotated[Path | None, typer.Option(help="Exit 1 if the model is worse than in this report.")] = None,
    margin: Annotated[float, typer.Option(help="Share of texts that may be lost against the baseline.")] = 0.02,
    strict: Annotated[
        bool, typer.Option("--strict", help="With --baseline: exit 1 unless it is shown that no more was lost.")
    ] = False,
    pack: Annotated[Path | None, typer.Option(help="Write the attacks that succeeded to this .jsonl file.")] = None,
    workers: Annotated[
        int | None, typer.Option(help="Blocks at once: 1, or with --engine ray every CPU.", min=1, max=256)
    ] = None,
    engine: Annotated[EngineName, typer.Option(help="This machine, or a Ray cluster; the report is the same.")] = (
        EngineName.local
    ),
    ray_address: Annotated[str | None, typer.Option(help="The cluster; by default one is joined or started.")] = None,
    state: Annotated[
        Path | None,
        typer.Option(help="Folder to keep the run in; after a kill the same command goes on. Outcomes stay on disk."),
    ] = None,
    store: Annotated[
        Path | None, typer.Option(help="File of answers; a model is not asked again what is in it.")
    ] = None,
    stop_when_decided: Annotated[
        float | None,
        typer.Option(help="Ask a cell no more texts once its flip rate is known to lie above, or below, this share."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Probe a model with a battery and print what flips, language by language.

    For example:

        babelproof run quick --model models/topics --data examples/demo.jsonl --out report

        babelproof run noise --model http://127.0.0.1:3000 --data test.tsv --lang de --lang hi --limit 100

        babelproof run quick --model models/topics --data test.jsonl --out report --format junit --format github

        babelproof run quick --model models/topics --data test.jsonl --fail-under 'worst-language:lower-bound>=0.70'

        babelproof run report/report.json --model models/new --baseline report/report.json --margin 0.02

        babelproof run full --model models/topics --data test.jsonl --workers 4 --state run --store answers.sqlite

        babelproof run full --model models/topics --data test.jsonl --engine ray --ray-address 10.0.0.1:6379
    """
    with refusals(PackError, EngineError):
        elsewhere = choose(engine, model, address=ray_address, workers=workers, store=store)
        bars = Bars.parse(fail_under or (), baseline, margin, strict)
        chosen, examples = open_input(battery, data, limit, lang)
        bars.check([step.name for step in chosen.steps])
        stopping = None
        if stop_when_decided is not None:
            again = open_input(battery, data, limit, lang)[1]
            stopping = bars.stopping(stop_when_decided, chosen, {example.lang for example in again})
        if pack is not None:
            attack_steps(chosen)
        printed = [Format.json] if as_json else check_forms(form or [], out)
        classifier = open_classifier(model)
        with elsewhere as opened, progress(chosen.name) as advance:
            report = batteries.run(
                chosen,
                classifier,
                examples,
                deadline=deadline,
                progress=advance,
                workers=1 if opened else workers or 1,
                state=state,
                store=store,
                stopping=stopping,
                engine=opened,
            )
        if out is not None:
            write_report(report, form or (), out)
        if pack is not None:
            pack_command.write(report, classifier, model, pack)
        for one in printed:
            show_report(report, one)
        failed = bars.failures(report)
    fail(failed)


app.command()(behave_command.behave)
app.command()(fix_command.fix)
app.command()(pack_command.replay)
app.command()(dose_command.doses)
app.command()(certify_command.certify)
app.command()(compare_command.compare)
app.command()(verdicts_command.verdicts)
app.command("tune")(tune_command.tune_)
app.command("import")(import_command.import_)
app.command()(serve_command.serve)
app.command()(predict_command.predict)
app.command()(predict_command.probe)
app.add_typer(jobs_command.app, name="jobs")
app.command(add_help_option=False, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(
    serve_command.keys
)


@app.command("list")
def list_(
    kind: Annotated[
        str | None,
        typer.Argument(help="perturbations, synonyms, nlpaug, attacks, defences, batteries, languages or behaviours."),
    ] = None,
    as_json: Json = False,
) -> None:
    """List perturbations, sources of synonyms, attacks, defences, batteries, languages and behavioural tests.

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
            show_report(open_report(Path(name)), form, out)
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


if __name__ == "__main__":
    app()
