"""What a client wants probed: its battery, its examples, and what of it is refused as unknown or too much."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from probes import battery as batteries
from probes.detect import detect
from probes.steps import Battery, BatteryError, check_targets
from probes.types import Example, Item
from service.answers.predict import check_texts
from service.answers.schemas import Battered, JobRequest, ProbeRequest
from service.http.errors import Refusal
from service.settings import Settings

DEFAULT_BATTERY = "quick"


def check_probe(wanted: ProbeRequest, labels: Sequence[str], settings: Settings) -> Battery:
    """The battery of a request to /probe; Refusal when it asks for what is not there or for too much."""
    _check_texts(wanted, labels, settings.max_probe_texts, settings.max_chars)
    if (wanted.deadline_ms or 0) > settings.max_deadline_ms:
        raise Refusal(422, "deadline_too_long", f"deadline_ms may be at most {settings.max_deadline_ms}.")
    return _bounded(battery_of(wanted, labels), settings)


def check_job(wanted: JobRequest, labels: Sequence[str], settings: Settings) -> Battery:
    """The battery of a request to /batteries; Refusal likewise."""
    _check_texts(wanted, labels, settings.max_job_texts, settings.max_chars)
    battery = _bounded(battery_of(wanted, labels), settings)
    draws = sum(step.draws for step in battery.steps)
    if (calls := len(wanted.texts) * sum(step.draws * (step.budget or 1) for step in battery.steps)) > (
        most := settings.max_job_calls
    ):
        raise Refusal(413, "job_too_large", f"The job may call the model {calls} times; at most {most} are allowed.")
    chars = sum(map(len, wanted.texts)) + sum(map(len, wanted.pairs or ()))
    if chars * draws > (most := settings.max_job_chars):
        sentence = f"The job has {chars * draws} characters (texts times draws); at most {most} are allowed."
        raise Refusal(413, "job_too_large", sentence)
    return battery


def battery_of(wanted: Battered, labels: Sequence[str]) -> Battery:
    """The battery that is named, or the steps in its place."""
    if wanted.battery is not None and wanted.steps is not None:
        raise Refusal(422, "contradiction", "battery and steps contradict each other; send one of them.")
    try:
        if wanted.steps is not None:
            said = {"name": "inline", "seed": wanted.seed, "steps": wanted.steps}
            battery = batteries.parse(said, where="request", plugins=False)
            check_targets(battery, labels)
            return battery
        name = wanted.battery or DEFAULT_BATTERY
        if name not in batteries.names():  # a name alone: never a path of this machine
            known = ", ".join(batteries.names())
            raise Refusal(422, "unknown_battery", f"There is no such battery; there are {known}.")
        return batteries.load(name)
    except BatteryError as error:
        raise Refusal(422, "bad_steps", f"{error}.") from None


def spoken(wanted: Battered) -> list[dict[str, Any]]:
    """For each text the code it is probed in, whether it was given or detected, and how sure the detector was."""
    return [_language(text, given) for text, given in _paired(wanted.texts, wanted.languages)]


def examples(wanted: Battered, langs: Sequence[str]) -> list[Example]:
    """The texts of a request as examples; the id of each is its place."""
    both = _paired(_paired(wanted.texts, wanted.pairs), wanted.labels)
    return [Example(str(place), Item(*item), langs[place], label) for place, (item, label) in enumerate(both)]


def _check_texts(wanted: Battered, labels: Sequence[str], most: int, max_chars: int) -> None:
    for field in ("texts", "pairs"):
        check_texts(getattr(wanted, field) or (), field, most, max_chars)
    for field in ("pairs", "labels", "languages"):
        values = getattr(wanted, field)
        if values is not None and len(values) != len(wanted.texts):
            sentence = f"{field} has {len(values)} elements for {len(wanted.texts)} texts; send one for each."
            raise Refusal(422, "unequal_lengths", sentence)
    for index, label in enumerate(wanted.labels or ()):
        if label is not None and label not in labels:
            raise Refusal(422, "unknown_label", f"labels[{index}] must be null or one of {', '.join(labels)}.")


def _bounded(battery: Battery, settings: Settings) -> Battery:
    if len(battery.steps) > settings.max_probe_steps:
        raise Refusal(413, "too_many_steps", f"A battery may have at most {settings.max_probe_steps} steps.")
    for step in battery.steps:
        if step.draws > settings.max_probe_draws:
            raise Refusal(413, "too_many_draws", f"A step may have at most {settings.max_probe_draws} draws.")
        if (step.budget or 0) > settings.max_probe_budget:
            raise Refusal(413, "budget_too_large", f"A budget may be at most {settings.max_probe_budget} queries.")
    return battery


def _paired(first: Sequence[Any], second: Sequence[Any] | None) -> list[tuple[Any, Any]]:
    return list(zip(first, second or [None] * len(first), strict=True))


def _language(text: str, given: str | None) -> dict[str, Any]:
    if given:
        return {"lang": given, "source": "given", "confidence": None}
    code, confidence = detect(text)
    return {"lang": code, "source": "detected", "confidence": round(confidence, 4)}
