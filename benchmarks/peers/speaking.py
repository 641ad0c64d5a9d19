"""The peer's side of the conversation: a request a line comes in, an answer a line goes out. Standard library only.

{"do": "hello"}                                                     {"version": ..., "note": ...}
{"do": "perturb", "texts": [[text, lang]], "strength": s}           {"texts": [text or null], "seconds": ...}
{"do": "attack", "attack": name, "texts": [[text, lang, label]], "budget": queries, "distance": graphemes}
                     {"rows": [[status, text or null, queries]], "seconds": ..., "victim_seconds": ..., "queries": ...}

null is a text the tool refuses. Requests a tool fails at are answered {"error": ...}.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

Attacked = tuple[str, str | None, int]
"""fooled, held, wrong (before any edit) or out (no edit applies); the text that was found; queries asked for it."""


class Tool(Protocol):
    """What a peer has to do; `attack` only where it can."""

    version: str
    note: str

    def perturb(self, text: str, lang: str, strength: float) -> str | None:
        """The text with typos at a strength, or None where the tool refuses the language."""


def serve(make: Callable[[], Any]) -> None:
    """Answer until the input ends; what the tool itself prints goes to the error stream."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    random.seed(0)
    try:
        tool, fault = make(), None
    except Exception as error:  # whatever a foreign library may raise
        tool, fault = None, f"{type(error).__name__}: {error}"
    for line in sys.stdin:
        try:
            answer = {"error": fault} if fault else answered(tool, json.loads(line))
        except Exception as error:  # the same
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


def answered(tool: Any, request: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to one request; the clock runs around the tool alone."""
    if request["do"] == "hello":
        return {"version": tool.version, "note": tool.note}
    if request["do"] == "perturb":
        start = time.perf_counter()
        texts = [tool.perturb(text, lang, request["strength"]) for text, lang in request["texts"]]
        return {"texts": texts, "seconds": time.perf_counter() - start}
    tool.victim.restart()
    start = time.perf_counter()
    rows: Sequence[Attacked] = tool.attack(request["attack"], request["texts"], request["budget"], request["distance"])
    seconds = time.perf_counter() - start
    victim = {"victim_seconds": tool.victim.seconds, "queries": tool.victim.queries}
    return {"rows": rows, "seconds": seconds, **victim}
