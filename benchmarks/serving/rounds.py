"""A round of the comparison: every system in turn, with the limit measured before and after each on the same texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.serving.process import ServerError

FAULTS = (ServerError, OSError, ExceptionGroup)
"""What ends the turn of a system, and not the round."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is measured, and what went wrong by system, the latest."""

    texts: Sequence[str]
    raw: Callable[[Sequence[str]], tuple[float, list[str]]]
    """The limit with these texts, and their labels."""
    one: Callable[[str, Sequence[str], Sequence[str], float], dict[str, Any]]
    """All about one system, with the texts, their labels and the limit."""
    say: Callable[[str], None]
    failed: dict[str, str] = field(default_factory=dict)

    def round(self, turn: Sequence[str]) -> dict[str, Any]:
        """What was found of each that did not fail, by name, with the limits beside it."""
        found: dict[str, Any] = {}
        before, labels = self.raw(self.texts)
        self.say(f"the graph alone takes {before:.0f} texts a second")
        for name in turn:
            try:
                one = self.one(name, self.texts, labels, before)
            except FAULTS as error:
                one, self.failed[name] = {}, f"{type(error).__name__}: {error}"
                self.say(f"  {name} failed: {self.failed[name]}")
            after, _ = self.raw(self.texts)
            if one:
                found[name] = one | {"limits": [before, after]}
                self.say(f"  {name}: {one['answers_per_second'] / limit(found[name]):.2f} of the limit")
            before = after
        return found


def limit(one: dict[str, Any]) -> float:
    """Of a system: the mean of before and after, for the machine's own pace drifts."""
    before, after = one["limits"]
    return float(before + after) / 2
