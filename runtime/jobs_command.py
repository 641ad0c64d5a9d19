"""Jobs on the command line: `babelproof jobs` submits batteries to a running service and gets their reports."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from probes.data import DataError
from probes.files import write_text
from runtime.client import Client
from runtime.client.answers import Job
from runtime.remote_inputs import DEFAULT_URL, AsJson, Data, KeyFile, Lang, Model, Texts, Url, given, languages, opened
from runtime.speaking import console, fail, print_json, progress, refusals, table

app = typer.Typer(help="Batteries that run on a service, however long they take.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The id of a job.")]


class State(StrEnum):
    """What a job may be."""

    queued = "queued"
    running = "running"
    done = "done"
    failed = "failed"
    cancelled = "cancelled"


class Form(StrEnum):
    """How a report is had."""

    json = "json"
    html = "html"
    md = "md"
    csv = "csv"


@app.command()
def submit(
    texts: Texts = None,
    url: Url = DEFAULT_URL,
    data: Data = None,
    battery: Annotated[str, typer.Option(help="The name of a battery that the service has.")] = "quick",
    model: Model = None,
    lang: Lang = None,
    same: Annotated[
        str | None, typer.Option(help="A key of yours: the same request sent again under it is the same job.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Follow the job; exit 1 unless it ends well.")] = False,
    key_file: KeyFile = None,
    as_json: AsJson = False,
) -> None:
    """Submit a battery over texts as a job.

    For example:

        babelproof jobs submit --data examples/demo.jsonl --battery full --wait

        babelproof jobs submit --data test.jsonl --same nightly-2026-01-31 --json
    """
    with refusals(), opened(url, key_file) as client:
        examples = list(given(texts, data, lang))
        job = client.jobs.submit(
            [example.item for example in examples],
            battery=battery,
            model=model,
            labels=[example.label for example in examples],
            languages=languages(examples),
            key=same,
        )
        if wait:
            job = _followed(client, job.id)
    _say([job], as_json)
    if wait:
        _well(job)


@app.command("list")
def list_(
    url: Url = DEFAULT_URL,
    state: Annotated[State | None, typer.Option(help="Only those in this state.")] = None,
    limit: Annotated[int, typer.Option(help="Of the latest, so many.", min=1, max=200)] = 50,
    key_file: KeyFile = None,
    as_json: AsJson = False,
) -> None:
    """List jobs, the latest first.

    Example: babelproof jobs list --state running
    """
    with refusals(), opened(url, key_file) as client:
        found = client.jobs.list(state=state and state.value, limit=limit).jobs
    _say(list(found), as_json)


@app.command()
def show(name: Name, url: Url = DEFAULT_URL, key_file: KeyFile = None, as_json: AsJson = False) -> None:
    """Show a job: its state, and how far it is.

    Example: babelproof jobs show 1a1fc6bd411-1fad9b7a0639955efaa7
    """
    with refusals(), opened(url, key_file) as client:
        _say([client.jobs.get(name)], as_json)


@app.command()
def watch(name: Name, url: Url = DEFAULT_URL, key_file: KeyFile = None, as_json: AsJson = False) -> None:
    """Follow a job to its end; exit 1 unless it ends well.

    Example: babelproof jobs watch 1a1fc6bd411-1fad9b7a0639955efaa7
    """
    with refusals(), opened(url, key_file) as client:
        job = _followed(client, name)
    _say([job], as_json)
    _well(job)


@app.command()
def result(
    name: Name,
    url: Url = DEFAULT_URL,
    form: Annotated[Form, typer.Option("--format", help="How the report is had.")] = Form.json,
    out: Annotated[Path | None, typer.Option(help="Write to this file; else it is printed.")] = None,
    key_file: KeyFile = None,
) -> None:
    """Get the report of a job that is done.

    For example:

        babelproof jobs result 1a1fc6bd411-1fad9b7a0639955efaa7 --format html --out report.html
    """
    with refusals(), opened(url, key_file) as client:
        found = client.jobs.result(name, form.value)
        if out is None:
            typer.echo(found, nl=False)
            return
        try:
            write_text(out, found)
        except OSError as error:
            raise DataError(f"the report cannot be written: {error}") from error
    typer.echo(f"written: {out}", err=True)


@app.command()
def cancel(name: Name, url: Url = DEFAULT_URL, key_file: KeyFile = None, as_json: AsJson = False) -> None:
    """Cancel a job that is alive; one that has ended is left as it is.

    Example: babelproof jobs cancel 1a1fc6bd411-1fad9b7a0639955efaa7
    """
    with refusals(), opened(url, key_file) as client:
        _say([client.jobs.cancel(name)], as_json)


@app.command()
def delete(name: Name, url: Url = DEFAULT_URL, key_file: KeyFile = None) -> None:
    """Delete a job that has ended, with its texts and its report.

    Example: babelproof jobs delete 1a1fc6bd411-1fad9b7a0639955efaa7
    """
    with refusals(), opened(url, key_file) as client:
        client.jobs.delete(name)
    typer.echo(f"deleted: {name}", err=True)


def _followed(client: Client, name: str) -> Job:
    with progress(name) as advance:
        return client.jobs.wait(name, on_progress=lambda done, wanted: advance(done, wanted or done))


def _say(jobs: list[Job], as_json: bool) -> None:
    if as_json:
        print_json([_document(job) for job in jobs])
    else:
        console().print(table("Jobs", [_row(job) for job in jobs]))


def _document(job: Job) -> dict[str, Any]:
    moments = {"created": job.created, "ended": job.ended}
    return asdict(job) | {name: moment and moment.isoformat() for name, moment in moments.items()}


def _row(job: Job) -> dict[str, Any]:
    progress = job.progress
    return {
        "id": job.id,
        "state": job.state,
        "model": job.model,
        "battery": job.battery,
        "texts": job.texts,
        "done": progress.done if progress.wanted is None else f"{progress.done} of {progress.wanted}",
        "created": job.created.isoformat(sep=" ", timespec="seconds"),
        "why": job.error.error if job.error else "",
    }


def _well(job: Job) -> None:
    why = f": {job.error.error}" if job.error else ""
    fail([] if job.state == "done" else [f"job {job.id} is {job.state}{why}"])
