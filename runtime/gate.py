"""A bar a model must clear: the share of predictions that hold, in every language or in one."""

from __future__ import annotations

from dataclasses import dataclass

from probes.registry import unknown
from probes.report import Report


class GateError(ValueError):
    """A bar that says nothing."""


@dataclass(frozen=True, slots=True)
class Gate:
    """At least this share of predictions holds (1 - flip rate), all steps together."""

    least: float
    lang: str | None = None

    @classmethod
    def parse(cls, text: str) -> Gate:
        """A gate from "0.8" (every language) or "de=0.8"."""
        lang, _, share = text.rpartition("=")
        try:
            least = float(share)
        except ValueError:
            least = -1.0
        if not 0 <= least <= 1:
            raise GateError(f"--fail-under takes a share (0.8) or a language and a share (de=0.8), not {text!r}")
        return cls(least, lang or None)

    def failures(self, report: Report) -> list[str]:
        """One line for each language that does not clear the bar; one that was not measured does not."""
        rows = {row.lang: row for row in report.rows(by=("lang",))}
        if self.lang is not None and self.lang not in rows:
            raise GateError(str(unknown("language of the report", self.lang, map(str, rows))))
        lines = []
        for lang, row in rows.items():
            if self.lang not in (None, lang):
                continue
            if row.rate is None or row.low is None or row.high is None:
                lines.append(f"{lang} was not measured")
            elif 1 - row.rate < self.least:
                held = f"{1 - row.rate:.3f} [{1 - row.high:.3f}, {1 - row.low:.3f}]"
                lines.append(f"{lang}: {held} of predictions held, wanted {self.least:g}")
        return lines
