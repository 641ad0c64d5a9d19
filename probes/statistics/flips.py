"""Flips told apart: harm, healing, and one wrong label for another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from probes.report import Outcome

FlipKind = Literal["harmful", "healing", "lateral", "unlabelled"]


@dataclass(frozen=True, slots=True)
class Flips:
    """Tries after which the model answered another label, by what the gold label says of it.

    harmful: right, then wrong, of `right` tries on texts the model had right. healing: wrong, then right, and lateral:
    wrong, then wrong in another way, of the `wrong` tries of noise on texts it had wrong; no attack is tried on these.
    unlabelled: of `without_gold` tries on texts without gold label.
    """

    harmful: int = 0
    healing: int = 0
    lateral: int = 0
    unlabelled: int = 0
    right: int = 0
    wrong: int = 0
    without_gold: int = 0


def kind(outcome: Outcome) -> FlipKind | None:
    """What sort of flip an outcome is; None where the label stayed or the answer is not known."""
    before, after = outcome.predicted_before, outcome.predicted_after
    if before is None or after is None or before == after:
        return None
    if not outcome.gold:
        return "unlabelled"
    return "harmful" if before == outcome.label else "healing" if after == outcome.label else "lateral"


def flips(outcomes: Iterable[Outcome]) -> Flips:
    """The flips among outcomes, and of how many tries."""
    found: Counter[str] = Counter()
    for outcome in outcomes:
        if outcome.status == "wrong_already":
            found["wrong"] += outcome.predicted_after is not None
        elif outcome.status in ("held", "fooled"):
            found["right" if outcome.gold else "without_gold"] += 1
        if sort := kind(outcome):
            found[sort] += 1
    return Flips(**found)
