"""All rows of some sources, checked across rows before anything is trained on them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np

from probes.types import Example
from training.data import files, hub
from training.data.public import PublicSet, public_sets
from training.data.rows import Part
from training.data.source import DataError, Source


@dataclass(frozen=True)
class Loaded:
    """Rows with what identifies them: SHA-256 by file (relative to the data folder) or hub name."""

    examples: tuple[Example, ...]
    hashes: Mapping[str, str]
    notes: tuple[str, ...] = ()
    """One line for each source: how many rows it gave, from where."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels that occur, sorted."""
        return tuple(sorted({example.label for example in self.examples if example.label is not None}))


def load(
    sources: Sequence[Source],
    root: Path,
    languages: Sequence[str] | None = None,
    *,
    public: Mapping[str, PublicSet] | None = None,
) -> Loaded:
    """All rows of the sources, in order, of the languages asked for (None: all); every row has a label.

    A set is read from its folder in `root`; a public one that has none there comes from the hub. Ids are unique
    within a language: those that two sources share get the name of their source, in every language alike.
    """
    kept: list[tuple[Source, tuple[Example, ...]]] = []
    hashes: dict[str, str] = {}
    notes: list[str] = []
    for source in sources:
        part = _read(source, root, languages, public_sets() if public is None else public)
        rows = _kept(source, part, languages)
        kept.append((source, rows))
        hashes |= part.hashes
        without = f"; {part.left_out:,} more lack a text or a label" if part.left_out else ""
        notes.append(f"{source.source}: {len(rows):,} rows from {part.origin}{without}")
    examples = _distinct(kept)
    _one_kind(examples)
    return Loaded(examples, hashes, tuple(notes))


def limited(loaded: Loaded, rows: int | None, rng: np.random.Generator) -> Loaded:
    """At most `rows` rows of each language, one of each label first, drawn without replacement, left in their order."""
    if rows is None or not loaded.examples:
        return loaded
    places: dict[str, list[int]] = {}
    for place, example in enumerate(loaded.examples):
        places.setdefault(example.lang, []).append(place)
    orders = [rng.permutation(where).tolist() for where in places.values()]
    chosen = [place for order in orders for place in _drawn(loaded.examples, order)[:rows]]
    return replace(loaded, examples=tuple(loaded.examples[place] for place in sorted(chosen)))


def _drawn(examples: Sequence[Example], places: Sequence[int]) -> list[int]:
    """The places with the first of every label before all others."""
    first: dict[str | None, int] = {}
    for place in places:
        first.setdefault(examples[place].label, place)
    return [*first.values(), *(place for place in places if place not in first.values())]


def check_labels(labels: Sequence[str], train: Loaded, *others: Loaded) -> None:
    """Refuse a class that no training row has, and rows of a class that the model would not know."""
    empty = [label for label in labels if label not in train.labels]
    if empty:
        raise DataError(
            f"no training row has the label {', '.join(empty)}; the rows have {', '.join(train.labels)}. "
            "Take it out of labels, or add rows that have it."
        )
    strange = [row for loaded in (train, *others) for row in loaded.examples if row.label not in labels]
    if strange:
        row, count = strange[0], sum(row.label == strange[0].label for row in strange)
        raise DataError(
            f"{count} rows have the label {row.label!r} (the first: id {row.id}, {row.lang}), which the model would "
            f"not know; it learns {', '.join(labels)}."
        )


def _read(source: Source, root: Path, languages: Sequence[str] | None, public: Mapping[str, PublicSet]) -> Part:
    if source.kind == "hub":
        return hub.read(source)
    if source.kind == "file":
        return files.read(source, root, source.set_name)
    known = public.get(source.set_name)
    folders = dict.fromkeys((source.set_name, known.local or source.set_name) if known else (source.set_name,))
    for folder in folders:
        if (root / folder).is_dir():
            return files.read(source, root, folder)
    absent = f"the data folder {root.absolute()} has no set {' or '.join(map(repr, folders))}"
    if known is None or not known.hub:
        raise DataError(f"{source.source}: {absent}. Name the folder that has it with --data.")
    try:
        return hub.read_public(source, known, languages)
    except DataError as error:
        raise DataError(f"{error} ({absent}; name a folder that has it with --data)") from error


def _kept(source: Source, part: Part, languages: Sequence[str] | None) -> tuple[Example, ...]:
    """The rows of the languages asked for; each has a label, and an id of its own in its language."""
    limits = [set(codes) for codes in (source.languages or None, languages) if codes is not None]
    kept = tuple(row for row in part.examples if all(row.lang in codes for codes in limits))
    asked = [lang for lang in source.languages if all(lang in codes for codes in limits)]
    present = sorted({row.lang for row in part.examples})
    missing = [lang for lang in asked if lang not in present]
    if missing or not kept:
        wanted = missing or asked or languages or ()
        raise DataError(
            f"{source.source}: no rows in {', '.join(wanted) or 'any language'}; "
            f"the languages there are {', '.join(present[:20]) or 'none'}."
        )
    unlabelled = [row.id for row in kept if row.label is None]
    if unlabelled:
        raise DataError(
            f"{source.source}: {len(unlabelled)} of {len(kept)} rows have no label (the first: id {unlabelled[0]})."
        )
    twice = [key for key, count in Counter((row.lang, row.id) for row in kept).items() if count > 1]
    if twice:
        raise DataError(
            f"{source.source}: {len(twice)} ids stand for more than one row of a language (the first: {twice[0][1]}, "
            f'{twice[0][0]}). Rows are aligned by id: name another column, or write id = "" to number them.'
        )
    return kept


def _distinct(kept: Sequence[tuple[Source, tuple[Example, ...]]]) -> tuple[Example, ...]:
    rows = tuple(chain.from_iterable(rows for _, rows in kept))
    if len({(row.lang, row.id) for row in rows}) == len(rows):
        return rows
    return tuple(
        replace(row, id=f"{':'.join(filter(None, (source.set_name, source.split)))}:{row.id}")
        for source, rows in kept
        for row in rows
    )


def _one_kind(rows: Sequence[Example]) -> None:
    """Refuse single texts beside pairs: a model takes one kind."""
    single = [row for row in rows if row.item.pair is None]
    paired = [row for row in rows if row.item.pair is not None]
    if single and paired:
        raise DataError(
            f"{len(single)} rows are single texts (the first: id {single[0].id}, {single[0].lang}) and {len(paired)} "
            f"are pairs (the first: id {paired[0].id}, {paired[0].lang}); a model takes one kind."
        )
