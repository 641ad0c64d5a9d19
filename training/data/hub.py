"""Sets of the datasets library: one set by its hub name, or a public set language by language."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence

from probes.types import Example
from training.data.public import PublicSet
from training.data.rows import Part, examples, expect_columns
from training.data.source import DataError, Source


def read(source: Source, *, folder: str | None = None, revision: str | None = None) -> Part:
    """The rows of a hub set (or of a folder of files); `folder` is a part of it, `revision` a branch."""
    import datasets  # slow to import, and most runs read files

    try:
        rows = datasets.load_dataset(
            source.set_name, source.config, data_dir=folder, revision=revision, split=source.split
        )
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
        raise DataError(f"{source.source}: the datasets library could not load it: {error}") from error
    expect_columns(source, rows.column_names)
    made, left_out = examples(
        source,
        enumerate(rows, 1),
        f"{source.source}, row",
        lang=source.language,
        classes=getattr(rows.features[source.label], "names", ()),
    )
    name = source.source if source.config is None else f"{source.source} ({source.config})"
    return Part(tuple(made), {name: _digest(made)}, f"the hub, {source.set_name}", left_out)


def read_public(source: Source, known: PublicSet, languages: Sequence[str] | None) -> Part:
    """The rows of a public set in the languages that the source and `languages` ask for (None: all)."""
    if source != Source(source.source):
        raise DataError(f"{source.source}: on the hub its columns are known; to name others, write hub:NAME:SPLIT.")
    places = known.places
    asked = [lang for lang in source.languages or places if languages is None or lang in languages]
    unknown = [lang for lang in source.languages if lang not in places]
    if unknown or source.split not in known.splits:
        raise DataError(
            f"{source.source}: {known.hub} has no {', '.join(unknown) or source.split}; its languages are "
            f"{', '.join(places)}, its splits {', '.join(known.splits)}."
        )
    parts = [
        read(known.source(source.split, lang), folder=known.folder(lang), revision=known.revision)
        for lang in asked
        if lang in places
    ]
    return Part(
        tuple(row for part in parts for row in part.examples),
        {name: digest for part in parts for name, digest in part.hashes.items()},
        f"the hub, {known.hub}",
        sum(part.left_out for part in parts),
    )


def _digest(made: Iterable[Example]) -> str:
    digest = hashlib.sha256()
    for row in made:
        digest.update(json.dumps([row.id, row.item.text, row.item.pair, row.lang, row.label]).encode())
    return digest.hexdigest()
