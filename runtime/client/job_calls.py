"""What can be asked of jobs: each request once, for both clients."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import httpx

from runtime.client.answers import Job, JobPage, read
from runtime.client.calls import Text, battered, reads, said
from runtime.client.exchange import Call, OnProgress, decoded


def submit(
    texts: Sequence[Text],
    *,
    model: str | None = None,
    battery: str | None = None,
    steps: Sequence[Mapping[str, Any]] | None = None,
    labels: Sequence[str | None] | None = None,
    languages: Sequence[str | None] | None = None,
    seed: int | None = None,
    key: str | None = None,
) -> Call[Job]:
    """Submit a battery over many texts as a job; under one key the same request, sent again, is the same job."""
    body = battered(texts, battery, steps, labels, languages, seed) | said(model=model)
    headers = {"Idempotency-Key": key or uuid.uuid4().hex}
    return Call("POST", "/batteries", reads(Job), body, headers=headers)


def jobs(*, state: str | None = None, after: str | None = None, limit: int | None = None) -> Call[JobPage]:
    """A page of jobs, the latest first, all or those in a state; `after` is what the page before calls `next`."""
    return Call("GET", "/batteries", reads(JobPage), params=said(state=state, after=after, limit=limit))


def job(name: str) -> Call[Job]:
    """A job by its id."""
    return Call("GET", _job(name), reads(Job))


def cancel(name: str) -> Call[Job]:
    """Cancel a job that is alive; one that has ended otherwise is left as it is, and refused (409)."""
    return Call("DELETE", _job(name), reads(Job), params={"only": "cancel"})


def delete(name: str) -> Call[None]:
    """Delete a job that has ended, with its texts and its report; one that is alive is refused (409)."""

    def answer(response: httpx.Response) -> None:
        if not response.is_success:
            decoded(response)

    return Call("DELETE", _job(name), answer, params={"only": "delete"}, once=True)


def result(name: str, form: str = "json") -> Call[str]:
    """The report of a job that is done: json (which `probes.Report.from_json` reads), html, md or csv."""

    def answer(response: httpx.Response) -> str:
        if not response.is_success:
            decoded(response)
        return response.text

    return Call("GET", f"{_job(name)}/result", answer, params={"format": form})


def followed(name: str, *, after: int | None = None, on_progress: OnProgress | None = None) -> Call[Job]:
    """What changes of a job, until it ends; after: only what came after the event of this number."""
    path, last = f"{_job(name)}/events", {} if after is None else {"Last-Event-ID": str(after)}
    return Call("GET", path, reads(Job), headers=last, last=lambda found: read(Job, found, path), tell=on_progress)


def _job(name: str) -> str:
    return f"/batteries/{quote(name, safe='')}"
