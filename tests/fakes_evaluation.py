"""A classifier of pairs that reads its answer off the text, a parallel set of such texts, judgements made by hand."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from probes.types import Item, Probabilities
from training.evaluation.outcomes import Evaluation, Judged, Radius

LABELS = ("no", "yes")


class Toy:
    """Says yes where text and pair together say it; noise above the margin in the text turns every fourth draw."""

    labels = LABELS

    def __init__(self) -> None:
        self.asked: list[Item] = []

    def __call__(self, items: Sequence[Item]) -> Probabilities:
        self.asked.extend(items)
        return np.array([[0.25, 0.75] if self._says_yes(item) else [0.875, 0.125] for item in items], np.float32)

    def noisy(self, items: Sequence[Item], radius: float, draws: int, rng: np.random.Generator) -> NDArray[np.int64]:
        yes = np.array([self._says_yes(item) for item in items])
        turned = np.array([radius > float(item.text.split()[0]) for item in items])
        return (yes ^ (turned & (np.arange(draws) % 4 == 0)[:, None])).astype(np.int64)

    @staticmethod
    def _says_yes(item: Item) -> bool:
        return "yes" in f"{item.text} {item.pair}"


class Quiet:
    """A classifier that cannot be given noise, and always says yes."""

    labels = LABELS

    def __call__(self, items: Sequence[Item]) -> Probabilities:
        return np.tile(np.array([0.0, 1.0], np.float32), (len(items), 1))


toy, quiet = Toy(), Quiet()


def row(lang: str, number: int, label: str = "yes", **more: Any) -> dict[str, Any]:
    """A row whose text says its label; every fourth German one says the other."""
    said = label if lang != "de" or number % 4 else LABELS[label == "no"]
    text = {"text": f"0.{number} {said} {lang} words", "text_pair": f"{lang} pair {number}"}
    return {"id": f"r{number}", "lang": lang, **text, "label": label, **more}


def write_rows(folder: Path, split: str, rows: Iterable[Mapping[str, Any]]) -> Path:
    """Write folder/SPLIT.jsonl."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{split}.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    return path


def judged(lang: str, number: int, right: bool, part: str = "clean", **more: Any) -> Judged:
    """A judgement of a text whose gold label is yes."""
    found: dict[str, Any] = {"label": "yes", "predicted": LABELS[right], "confidence": 0.75, "gold": 0.75, **more}
    return Judged(part=part, lang=lang, id=f"r{number}", right=right, **found)


def evaluation(
    right: Mapping[str, Sequence[bool]], part: str = "clean", *, radii: Iterable[Radius] = (), **more: Any
) -> Evaluation:
    """An evaluation of one part from what was right in each language."""
    found = [judged(lang, number, bool(one), part) for lang, own in right.items() for number, one in enumerate(own)]
    return Evaluation(**{"model": "toy", "suite": "toys", "seed": 0, "provenance": {}, **more},
                      judged=tuple(found), radii=tuple(radii))  # fmt: skip
