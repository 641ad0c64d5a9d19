"""Durable jobs over a small model: what is asked for, what must come of it, and clients that wait for it."""

from __future__ import annotations

import asyncio
import gzip
import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from probes import battery
from probes.report import Report
from probes.types import Example, Item
from runtime.classifier import OnnxClassifier, Prediction
from service.answers.schemas import JobRequest
from service.probing.store import Store, Submission
from service.settings import Settings
from tests.fakes_interface import SETTINGS, TEXTS, Client, client

MANY = [f"{text} {number}" for number in range(40) for text in TEXTS]
BODY: dict[str, Any] = {"texts": MANY, "languages": ["en", "de"] * 40, "battery": "quick"}


class Slow(OnnxClassifier):
    """Takes its time for every run, and counts them."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, threads=1)
        self.runs = 0

    def predict(self, items: Sequence[Item], *, truncate: bool = True) -> Prediction:
        self.runs += 1
        threading.Event().wait(0.03)
        return super().predict(items, truncate=truncate)


def settings_of(state: Path, **changed: Any) -> Settings:
    """Small and soon; probers that do not step back, for where the machine is busy tests would wait for ever."""
    usual = {"state": state, "max_job_texts": 100, "lease_s": 1, "prober_priority": "normal"}
    return replace(SETTINGS, **{**usual, **changed})


def jobs_of(classifier: OnnxClassifier, state: Path, **changed: Any) -> Client:
    found = client(classifier, settings_of(state, **changed))
    found.interface.warm()
    return found


async def submitted(http: httpx.AsyncClient, body: dict[str, Any] = BODY, **headers: str) -> str:
    answer = await http.post("/batteries", json=body, headers=headers)
    assert answer.status_code in (200, 202), answer.text
    return str(answer.json()["id"])


async def until(http: httpx.AsyncClient, name: str, *states: str) -> dict[str, Any]:
    """The job, once it is in one of these states."""
    found: dict[str, Any] = {}
    for _ in range(1500):
        found = (await http.get(f"/batteries/{name}")).json()
        if found["state"] in states:
            return found
        await asyncio.sleep(0.02)
    raise AssertionError(found)


def submission(body: dict[str, Any] = BODY) -> Submission:
    """The job as a worker hands it to the store."""
    request = JobRequest.model_validate(body).model_dump_json().encode()
    return Submission("", None, "", "keywords", body["battery"], len(body["texts"]), request)


def report_of(store: Store, name: str) -> str:
    """The JSON report of a job that is done."""
    parts = iter(partial(next, (store.part(name, "json", number) for number in count())), None)
    return gzip.decompress(b"".join(parts)).decode()


def undisturbed(classifier: OnnxClassifier, body: dict[str, Any] = BODY) -> Report:
    """What the job must find, found without a job."""
    examples = [
        Example(str(place), Item(text), lang)
        for place, (text, lang) in enumerate(zip(body["texts"], body["languages"], strict=True))
    ]
    return battery.run(battery.load(body["battery"]), classifier, examples)
