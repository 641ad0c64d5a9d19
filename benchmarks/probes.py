"""`make bench-probes`: babelproof beside TextAttack, nlpaug, LangTest and multypo; tables and JSON."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

from rich.console import Console

from benchmarks.peers.asking import ROOT, command
from benchmarks.side_by_side import Work, measure
from benchmarks.side_by_side_tables import tables
from probes.data import read_examples
from probes.files import write_text
from probes.types import Example


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.probes", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count, after one to warm up (default 5)")
    parser.add_argument("--per-round", type=int, default=24, help="texts attacked in each round (default 24)")
    parser.add_argument("--victim", type=Path, default=ROOT / "models" / "topics", help="folder of the model attacked")
    parser.add_argument("--out", type=Path, default=ROOT / "reports" / "benchmark-probes.json")
    said = parser.parse_args(arguments)
    if said.rounds < 1 or said.per_round < 2:
        parser.error("--rounds must be at least 1, --per-round at least 2")
    attacked = _in_turn(_examples("demo"))
    perturbed = [e for name, most in (("demo", 2), ("sentences", None)) for e in _examples(name, most)]
    work = Work(attacked, perturbed, said.rounds, said.per_round)
    found = measure(work, said.victim, command)
    found["work"] = {"rounds": said.rounds, "per_round": said.per_round, "perturbed": len(work.perturbed)}
    for table in tables(found):
        Console(width=160).print(table)
    write_text(said.out, json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def _examples(name: str, most: int | None = None) -> list[Example]:
    return read_examples(ROOT / "examples" / f"{name}.jsonl", most)


def _in_turn(examples: Sequence[Example]) -> list[Example]:
    """One text of each language after the other, so that any stretch of them holds as many as can be."""
    by_lang: dict[str, list[Example]] = {}
    for example in examples:
        by_lang.setdefault(example.lang, []).append(example)
    return [example for row in zip_longest(*by_lang.values()) for example in row if example is not None]


if __name__ == "__main__":
    main()
