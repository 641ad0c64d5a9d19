"""`make bench`: runs every measurement, prints tables, writes reports/benchmarks.json."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import backends, engine, packing, robustness_card, training_cost
from probes.data import read_examples
from probes.files import write_text

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    texts = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "examples" / "demo.jsonl"
    examples = read_examples(texts)
    where = f"{texts.name}, {os.cpu_count()} cores"
    packed = packing.measure(ROOT / "models" / "topics", [example.item for example in examples])
    _show(f"Prediction, {where}", "texts/s against packed", packed)
    served = engine.measure(ROOT / "models" / "topics", [example.item for example in examples])
    _show(f"The serving engine, {where}, one thread", "texts/s against the raw session", served)
    english = [example for example in examples if example.lang == "en"]
    cost = training_cost.measure(ROOT / "models" / "encoder", english)
    _show(f"Training step, English of {where}", "seconds against plain", cost)
    ran = backends.measure(ROOT / "models" / "encoder", examples)
    _show(f"Backends, {os.cpu_count()} cores", "tokens/s against the shipped graph", ran)
    card = robustness_card.measure(ROOT / "models" / "topics", examples)
    _show(f"Robustness cards, {where}", "seconds against plain", card)
    found = {"backends": ran, "robustness_card": card, "engine": served, "packing": packed, "training_cost": cost}
    write_text(ROOT / "reports" / "benchmarks.json", json.dumps(found, indent=1, sort_keys=True) + "\n")


def _show(title: str, ratio: str, rows: Sequence[Mapping[str, Any]]) -> None:
    table = Table("way", ratio, "range", title=title)
    for row in rows:
        table.add_row(row["way"], f"{row['ratio']:.2f}", f"{row['low']:.2f} to {row['high']:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
