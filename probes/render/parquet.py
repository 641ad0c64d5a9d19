"""A report as Parquet: one row per outcome, the provenance in the file's metadata; needs pyarrow."""

from __future__ import annotations

import io
import json
from importlib import import_module
from itertools import islice
from typing import Any

from probes.report import FORMAT, Report, ReportError
from probes.types import Edit

# Outcomes turned into columns at once.
GROUP = 10_000

_TEXTS = ("example", "lang", "step", "status", "label", "before", "pair_before", "after", "pair_after", "goal")
_PREDICTED = ("predicted_before", "predicted_after")
_WHOLE = ("draw", "queries")
_SHARES = ("probability_before", "probability_after", "dose")
_EDITS = ("edits", "pair_edits")


def parquet(report: Report) -> bytes:
    """The outcomes as a Parquet file; ReportError says what to install where pyarrow is missing.

    Texts are UTF-8: half a surrogate pair stands as ?. Offsets of edits are code points of the text before.
    """
    try:
        arrow, writing = import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise ReportError("Parquet needs pyarrow: pip install -c constraints.txt -e '.[parquet]'") from None
    schema = _schema(arrow).with_metadata({"format": FORMAT, "provenance": json.dumps(dict(report.provenance))})
    out, outcomes = io.BytesIO(), iter(report.outcomes)
    with writing.ParquetWriter(out, schema, compression="zstd") as file:
        while group := list(islice(outcomes, GROUP)):
            columns = {name: [_plain(getattr(one, name)) for one in group] for name in schema.names}
            file.write_table(arrow.table(columns, schema=schema))
    return out.getvalue()


def _schema(arrow: Any) -> Any:
    edit = arrow.struct([("start", arrow.int32()), ("end", arrow.int32()), ("new", arrow.string())])
    kinds = (
        ((*_TEXTS, *_PREDICTED), arrow.string()),
        (("gold",), arrow.bool_()),
        (_WHOLE, arrow.int64()),
        (_SHARES, arrow.float64()),
        (_EDITS, arrow.list_(edit)),
    )
    return arrow.schema([(name, kind) for names, kind in kinds for name in names])


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_edit(edit) for edit in value]
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _edit(edit: Edit) -> dict[str, Any]:
    return {"start": edit.start, "end": edit.end, "new": _plain(edit.new)}
