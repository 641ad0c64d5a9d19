"""What can be asked of a service: each request once, for both clients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

import httpx

from probes.data import DataError
from probes.types import Item
from runtime.client.answers import Card, Certified, Detected, Model, Predicted, Probed, Score, read
from runtime.client.errors import WrongAnswer
from runtime.client.exchange import Call, OnProgress, decoded, where

T = TypeVar("T")
Text = str | tuple[str, str] | Item
"""A text, or a text and its pair."""


def predict(
    texts: Sequence[Text],
    *,
    model: str | None = None,
    top_k: int | None = None,
    robustness: int | None = None,
    seed: int | None = None,
    languages: str | Sequence[str] = (),
    raw_scores: bool = False,
    truncate: bool = True,
    deadline_ms: int | None = None,
) -> Call[list[Predicted]]:
    """Classify texts, or pairs, in one request.

    top_k: only the best labels. robustness: judge each by so many variants drawn by the seed, in the languages (one for
    all, or one each; else detected). raw_scores: logits. truncate False refuses what is too long. deadline_ms: all or
    nothing in that time.
    """
    inputs = [_input(text) for text in _listed(texts)]
    body = said(inputs=inputs, raw_scores=raw_scores, top_k=top_k, truncate=None if truncate else False)
    codes = [languages] if isinstance(languages, str) else list(languages)
    params = said(robustness=robustness, seed=seed, lang=codes or None)

    def answer(response: httpx.Response) -> list[Predicted]:
        found, at = decoded(response), where(response)
        whole = found if isinstance(found, dict) else {"predictions": found, "robustness": [None] * len(inputs)}
        rows = read(list[tuple[Score, ...]], whole.get("predictions"), at)
        cards = read(list[Card | None], whole.get("robustness"), at)
        if not len(rows) == len(cards) == len(inputs) or not all(rows):
            raise WrongAnswer(f"{at} did not answer {len(inputs)} lists of labels and scores")
        return [Predicted(scores, card) for scores, card in zip(rows, cards, strict=True)]

    return Call("POST", _at(model, "predict"), answer, body, params, deadline_ms=deadline_ms)


def detect(texts: Sequence[str]) -> Call[list[Detected]]:
    """The language of each text."""
    return Call("POST", "/detect", reads(list[Detected]), {"texts": _listed(texts)})


def certify(
    texts: Sequence[Text],
    *,
    model: str | None = None,
    languages: Sequence[str | None] | None = None,
    kind: str | None = None,
    unit: str | None = None,
    deletion: float | None = None,
    sigma: float | None = None,
    n0: int | None = None,
    n: int | None = None,
    alpha: float | None = None,
    seed: int | None = None,
    deadline_ms: int | None = None,
) -> Call[Certified]:
    """How many edits, or how large a move of the embeddings, provably leave each label; the service sets the rest.

    deadline_ms: texts not reached by then are answered as unreached.
    """
    body = said(
        **_sides(texts),
        languages=languages,
        kind=kind,
        unit=unit,
        deletion=deletion,
        sigma=sigma,
        n0=n0,
        n=n,
        alpha=alpha,
        seed=seed,
        deadline_ms=deadline_ms,
    )
    return Call("POST", _at(model, "certify"), reads(Certified), body)


def probe(
    texts: Sequence[Text],
    *,
    model: str | None = None,
    battery: str | None = None,
    steps: Sequence[Mapping[str, Any]] | None = None,
    labels: Sequence[str | None] | None = None,
    languages: Sequence[str | None] | None = None,
    seed: int | None = None,
    examples: int | None = None,
    deadline_ms: int | None = None,
    on_progress: OnProgress | None = None,
) -> Call[Probed]:
    """Run a battery, or steps, over texts; deadline_ms: what was done by then is answered."""
    body = battered(texts, battery, steps, labels, languages, seed)
    body |= said(examples=examples, deadline_ms=deadline_ms)
    path = _at(model, "probe")
    return Call("POST", path, reads(Probed), body, last=lambda found: read(Probed, found, path), tell=on_progress)


def models() -> Call[list[Model]]:
    """Every served model."""

    def answer(response: httpx.Response) -> list[Model]:
        found = decoded(response)
        return read(list[Model], found.get("models") if isinstance(found, dict) else None, where(response))

    return Call("GET", "/models", answer)


def about() -> Call[dict[str, Any]]:
    """What the service says of itself; nothing where it has no such page."""

    def answer(response: httpx.Response) -> dict[str, Any]:
        found = {} if response.status_code == httpx.codes.NOT_FOUND else decoded(response)
        return found if isinstance(found, dict) else {}

    return Call("GET", "/about", answer)


def reads(kind: type[T]) -> Any:
    """Reads an answer as this type."""
    return lambda response: read(kind, decoded(response), where(response))


def _at(model: str | None, what: str) -> str:
    return f"/{what}" if model is None else f"/models/{quote(model, safe='')}/{what}"


def said(**keys: Any) -> dict[str, Any]:
    """The keys that say something."""
    return {key: value for key, value in keys.items() if value is not None}


def _listed(texts: Sequence[Any]) -> list[Any]:
    """A text alone is a list of one, and not of its letters."""
    return [texts] if isinstance(texts, str | Item) else list(texts)


def _input(text: Text) -> list[str]:
    if isinstance(text, str):
        return [text]
    first, pair = (text.text, text.pair) if isinstance(text, Item) else text
    return [first] if pair is None else [first, pair]


def _sides(texts: Sequence[Text]) -> dict[str, Any]:
    """Texts and, where there are any, their pairs; DataError where some have one and some not."""
    inputs = [_input(text) for text in _listed(texts)]
    if len({len(one) for one in inputs}) > 1:
        raise DataError("some texts have a pair and some have none; send them in two requests")
    pairs = [pair for _, *pairs in inputs for pair in pairs]
    return said(texts=[text for text, *_ in inputs], pairs=pairs or None)


def battered(
    texts: Sequence[Text],
    battery: str | None,
    steps: Sequence[Mapping[str, Any]] | None,
    labels: Sequence[str | None] | None,
    languages: Sequence[str | None] | None,
    seed: int | None,
) -> dict[str, Any]:
    """The body of a request for a battery."""
    return _sides(texts) | said(
        battery=battery,
        steps=None if steps is None else list(steps),
        labels=None if labels is None else list(labels),
        languages=None if languages is None else list(languages),
        seed=seed,
    )
