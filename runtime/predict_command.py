"""Asking a running service: `babelproof predict` classifies texts, `babelproof probe` finds what flips their labels."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer

from probes.data import DataError
from probes.types import Example
from runtime.client.answers import Card, Predicted, Row
from runtime.remote_inputs import (
    DEFAULT_URL,
    AsJson,
    Data,
    KeyFile,
    Lang,
    Model,
    Texts,
    Url,
    batches,
    given,
    languages,
    opened,
)
from runtime.speaking import console, fail, print_json, progress, refusals, table

_AT_ONCE, _VARIANTS_AT_ONCE = 32, 1_024
"""Texts in one request, and those with their variants, of which a service takes no more unless it is told to."""
_SHOWN = 60
"""Characters of a text that a table shows."""

Deadline = Annotated[int | None, typer.Option(help="Milliseconds the service has.", min=1)]


def predict(
    texts: Texts = None,
    url: Url = DEFAULT_URL,
    data: Data = None,
    model: Model = None,
    top_k: Annotated[int, typer.Option(help="Labels shown of each text.", min=1)] = 1,
    robustness: Annotated[
        int | None, typer.Option(help="Judge each answer by so many variants of the text.", min=1, max=64)
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of the variants.", min=0)] = None,
    lang: Lang = None,
    deadline_ms: Deadline = None,
    key_file: KeyFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON document a line, as answers come.")] = False,
) -> None:
    """Classify texts with a running service.

    For example:

        babelproof predict 'The match ended in a draw.' --url http://127.0.0.1:3000

        babelproof predict --data texts.txt --top-k 3 --json

        babelproof predict --data examples/demo.jsonl --robustness 8
    """
    rows: list[dict[str, Any]] = []
    with refusals(), opened(url, key_file) as client:
        if seed is not None and robustness is None:
            raise DataError("--seed is that of the variants; say with --robustness how many")
        for some in batches(given(texts, data, lang), min(_AT_ONCE, _VARIANTS_AT_ONCE // (1 + (robustness or 0)))):
            found = client.predict(
                [example.item for example in some],
                model=model,
                top_k=top_k,
                robustness=robustness,
                seed=seed,
                languages=_codes(some) if robustness else (),
                deadline_ms=deadline_ms,
            )
            for example, one in zip(some, found, strict=True):
                if as_json:
                    typer.echo(json.dumps({"text": example.item.text} | asdict(one), ensure_ascii=False))
                else:
                    rows += _rows(example, one)
    if not as_json:
        console().print(table("Predictions", rows))


def probe(
    texts: Texts = None,
    url: Url = DEFAULT_URL,
    data: Data = None,
    battery: Annotated[str, typer.Option(help="The name of a battery that the service has.")] = "quick",
    model: Model = None,
    lang: Lang = None,
    deadline_ms: Deadline = None,
    fail_over: Annotated[
        float | None,
        typer.Option(help="Exit 1 where a flip rate is above this share, with 95 % confidence.", min=0, max=1),
    ] = None,
    key_file: KeyFile = None,
    as_json: AsJson = False,
) -> None:
    """Probe a running service with a battery over some texts, and print what flips, language by language.

    For example:

        babelproof probe 'The match ended in a draw.' --battery quick

        babelproof probe --data examples/demo.jsonl --url http://127.0.0.1:3000 --fail-over 0.2 --json
    """
    with refusals(), opened(url, key_file) as client, progress(battery) as advance:
        examples = list(given(texts, data, lang))
        found = client.probe(
            [example.item for example in examples],
            battery=battery,
            model=model,
            labels=[example.label for example in examples],
            languages=languages(examples),
            deadline_ms=deadline_ms,
            on_progress=lambda done, wanted: advance(done, wanted or done),
        )
    if as_json:
        print_json(asdict(found))
    else:
        console().print(table(f"{battery}: flips", [_row(row) for row in found.rows]))
        if found.truncated:
            typer.echo("the deadline came before the end of the battery", err=True)
    over = [row for row in found.rows if fail_over is not None and row.low is not None and row.low > fail_over]
    fail([f"{row.lang} {row.step}: flip rate {_rate(row)}, above {fail_over:g}" for row in over])


def _codes(examples: list[Example]) -> list[str]:
    """A language for each, or none where one of them is to be detected."""
    codes = [example.lang for example in examples]
    return codes if all(codes) else []


def _rows(example: Example, found: Predicted) -> list[dict[str, Any]]:
    card = {} if found.card is None else _card(found.card)
    first = {"text": _short(example.item.text)}
    return [
        {**(first if i == 0 else {"text": ""}), "label": one.label, "score": f"{one.score:.4f}"}
        | (card if i == 0 else dict.fromkeys(card, ""))
        for i, one in enumerate(found.scores)
    ]


def _card(card: Card) -> dict[str, str]:
    flips = "" if card.flip_rate is None else f"{card.flip_rate:.2f} ({card.low:.2f} to {card.high:.2f})"
    weakest = card.weakest
    return {
        "language": card.language.lang,
        "flip rate": flips,
        "weakest probe": f"{weakest.name} ({weakest.flips} of {weakest.n})" if weakest and weakest.flips else "",
    }


def _row(row: Row) -> dict[str, Any]:
    return {"language": row.lang, "step": row.step, "n": row.n, "flips": row.flips, "rate": _rate(row)}


def _rate(row: Row) -> str:
    return "not measured" if row.rate is None else f"{row.rate:.2f} ({row.low:.2f} to {row.high:.2f})"


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
