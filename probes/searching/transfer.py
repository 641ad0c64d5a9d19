"""The transfer matrix: which attacks found on one model also break another, with intervals, per language."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from probes.files import json_text
from probes.oracle import Oracle
from probes.render.rows import markdown_table
from probes.searching import goals
from probes.searching.packs import Finding, PackError, Source, by_source
from probes.statistics.intervals import Share, share
from probes.types import Classifier

FORMAT = "babelproof-transfer/1"

# Attacks asked together, clean and edited.
BLOCK = 64


@dataclass(frozen=True, slots=True)
class Cell:
    """How the attacks found on source do on target, in one language or (lang None) in all.

    success: attacks that reach their goal on target too, of the n whose clean text target gives the label that the
    attack took away; Wilson interval at the effective size, several attacks on one text being one cluster. None where n
    is 0. wrong_already: the attacks whose clean text target labels otherwise.
    """

    source: str
    target: str
    lang: str | None
    n: int
    broken: int
    success: Share | None
    wrong_already: int


@dataclass(frozen=True, slots=True)
class Transfer:
    """Every cell, source by source, target by target, all languages first."""

    sources: Mapping[str, Source]
    targets: tuple[str, ...]
    cells: tuple[Cell, ...]

    def to_json(self) -> str:
        """The matrix as JSON; equal packs and models give equal bytes."""
        whole = {
            "format": FORMAT,
            "sources": {name: asdict(source) for name, source in self.sources.items()},
            "targets": list(self.targets),
            "cells": [asdict(cell) for cell in self.cells],
        }
        return json_text(whole, indent=1) + "\n"

    def rows(self, by_language: bool = False) -> list[dict[str, Any]]:
        """A row for each source (and language), a column for each target."""
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for cell in self.cells:
            if (cell.lang is not None) == by_language:
                head = {"found on": cell.source} | ({"language": cell.lang} if by_language else {})
                found.setdefault((cell.source, cell.lang or ""), head)[f"tried on {cell.target}"] = said(cell)
        return list(found.values())


def said(cell: Cell) -> str:
    """A cell in words."""
    if cell.success is None:
        return f"not measured ({cell.wrong_already} wrong already)"
    one = cell.success
    return f"{one.value:.2f} [{one.low:.2f}, {one.high:.2f}] n={cell.n}"


def markdown(transfer: Transfer) -> str:
    """Both tables as Markdown, with what the figures are."""
    lines = ["# Transfer of attacks", "", LEGEND]
    for by_language in (False, True):
        lines += ["", *markdown_table(transfer.rows(by_language))]
    return "\n".join(lines) + "\n"


LEGEND = (
    "Share of attacks that reach their goal on the other model too, of the n whose clean text it gives the label the "
    "attack took away; 95 % Wilson interval, attacks on one text being one cluster."
)


def replay(
    packs: Mapping[str, Sequence[Finding]],
    models: Mapping[str, Classifier],
    progress: Callable[[int, int], None] | None = None,
) -> Transfer:
    """Try every attack of the packs (by file name) on every model (by name).

    PackError where a pack is for other labels than a model's; their order does not matter.
    """
    for file, findings in packs.items():
        for name, model in models.items():
            for labels in {finding.model.labels for finding in findings}:
                if set(labels) != set(model.labels):
                    raise PackError(
                        f"{file} attacks a model of the labels {', '.join(labels)}, but {name} has the labels "
                        f"{', '.join(model.labels)}"
                    )
    sources = _named(by_source(packs))
    total, done, cells = len(models) * sum(map(len, sources.values())), 0, []
    for name, findings in sources.items():
        for target, model in models.items():
            results: list[bool | None] = []
            for start in range(0, len(findings), BLOCK):
                block = findings[start : start + BLOCK]
                results += _tried(block, model)
                done += len(block)
                if progress is not None:
                    progress(done, total)
            cells += _cells(name, target, findings, results)
    return Transfer({name: those[0].model for name, those in sources.items()}, tuple(models), tuple(cells))


def _tried(findings: Sequence[Finding], model: Classifier) -> list[bool | None]:
    """Whether each attack reaches its goal; None where the clean text has another label than it took away."""
    oracle = Oracle(model)
    clean = oracle([finding.item for finding in findings])
    edited = oracle([finding.edited for finding in findings])
    return [
        goals.parse(finding.goal).reached(after, before, oracle.labels)
        if oracle.labels[int(before.argmax())] == finding.before
        else None
        for finding, before, after in zip(findings, clean, edited, strict=True)
    ]


def _cells(source: str, target: str, findings: Sequence[Finding], results: Sequence[bool | None]) -> list[Cell]:
    groups: dict[str | None, list[tuple[Finding, bool | None]]] = defaultdict(list)
    for finding, result in zip(findings, results, strict=True):
        groups[None].append((finding, result))
        groups[finding.lang].append((finding, result))
    cells = []
    for lang in sorted(groups, key=lambda lang: lang or ""):
        counts: dict[str, tuple[float, float]] = {}
        for finding, result in groups[lang]:
            if result is not None:
                # an id stands for one source in all languages: translations are not independent either
                broken, n = counts.get(finding.example, (0, 0))
                counts[finding.example] = (broken + result, n + 1)
        success = share(list(counts.values()))
        broken = int(sum(one for one, _ in counts.values()))
        n = success.n if success else 0
        cells.append(Cell(source, target, lang, n, broken, success, len(groups[lang]) - n))
    return cells


def _named(sources: Mapping[Source, list[Finding]]) -> dict[str, list[Finding]]:
    """By name; where two models have one name, by name and digest."""
    names = [source.name for source in sources]
    return {
        source.name if names.count(source.name) == 1 else f"{source.name} {source.sha256[:12]}": findings
        for source, findings in sources.items()
    }
