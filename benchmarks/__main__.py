"""`make bench`: runs every measurement, prints tables, writes reports/benchmarks.json."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.packing import measure
from probes.data import read_examples
from probes.files import write_text

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    texts = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "examples" / "demo.jsonl"
    results = measure(ROOT / "models" / "topics", [example.item for example in read_examples(texts)])
    table = Table("way", "texts/s against packed", "range", title=f"Prediction, {texts.name}, {os.cpu_count()} cores")
    for row in results:
        table.add_row(row["way"], f"{row['ratio']:.2f}", f"{row['low']:.2f} to {row['high']:.2f}")
    Console().print(table)
    write_text(ROOT / "reports" / "benchmarks.json", json.dumps({"packing": results}, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
