"""babelproof and its peers at the same work in turn: attacks, noise, texts left alone, languages."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import damage
from benchmarks import side_by_side_attacks as attacks
from benchmarks.peers.asking import NAMES, Peer, PeerError
from benchmarks.side_by_side_turns import Answers, Turn, ratio, rounds, share
from probes.types import Example

OURS = "babelproof"
STRENGTH = 0.1


@dataclass(frozen=True, slots=True)
class Work:
    """How much: rounds that count, texts an attack round takes, sentences that are perturbed."""

    attacked: Sequence[Example]
    perturbed: Sequence[Example]
    rounds: int = 3
    per_round: int = 12


def measure(work: Work, victim: Path, start: Callable[[str], Sequence[str]], names: Sequence[str] = NAMES) -> Any:
    """Every peer at every task in turn, after one round to warm up; what failed stands under `failed`, by name."""
    failed: dict[str, str] = {}
    with ExitStack() as stack:
        peers: dict[str, Peer] = {}
        for name in names:
            try:
                peers[name] = stack.enter_context(Peer(start(name), victim=victim))
            except PeerError as error:
                failed[name] = str(error)
        for name, peer in tuple(peers.items()):
            try:
                assert peer.about
            except PeerError as error:
                failed[name] = str(error)
                del peers[name]
        attacked = attacks.measure(work.attacked, work.rounds, work.per_round, peers, failed)
        turns: list[Turn] = [(name, name, {}) for name in peers]
        texts = [[example.item.text, example.lang] for example in work.perturbed]
        noise = [{"do": "perturb", "texts": texts, "strength": STRENGTH}] * (work.rounds + 1)
        perturbed = rounds(peers, turns, noise, failed)
        still = damage.still(work.perturbed)
        unmoved = rounds(peers, turns, [{"do": "perturb", "texts": still, "strength": 0.0}], failed)
        return {
            "peers": {name: peer.about for name, peer in peers.items()},
            "failed": failed,
            "attacks": attacked,
            "noise": _noise(perturbed[1:], work.perturbed),
            "still": {name: _still(answer["texts"], still) for name, answer in unmoved[0].items()},
        }


def _noise(answers: Answers, examples: Sequence[Example]) -> dict[str, Any]:
    """Speed, and what of the texts was touched and harmed, altogether and by language, of each peer."""
    found = {}
    for name in answers[0] if answers else ():
        by_lang: dict[str, list[list[tuple[str, str]]]] = defaultdict(list)
        for i, example in enumerate(examples):
            afters = [answer[name]["texts"][i] for answer in answers]
            by_lang[example.lang].append([(example.item.text, after) for after in afters if after is not None])
        languages = {lang: _harm(texts) for lang, texts in sorted(by_lang.items())}
        found[name] = {
            "texts_per_second": median(1 / _seconds(answer[name]) for answer in answers),
            "speed": ratio(answers, name, OURS, _seconds),
            "languages": languages,
            "languages_covered": sum(harm["touched"]["share"] >= 0.5 for harm in languages.values()),
            **_harm([text for texts in by_lang.values() for text in texts]),
        }
    return found


def _seconds(answer: Mapping[str, Any]) -> float:
    """A text it took: what it refuses costs it nothing, and is no work."""
    taken = sum(text is not None for text in answer["texts"])
    return float(answer["seconds"]) / taken if taken else math.inf


def _harm(texts: Sequence[Sequence[tuple[str, str]]]) -> dict[str, Any]:
    """Share of texts that was touched in any round, and of touched outputs those harmed."""
    outputs = [(before, after) for draws in texts for before, after in draws if before != after]
    return {
        "touched": share([any(before != after for before, after in draws) for draws in texts]),
        "torn": share([damage.torn(*output) for output in outputs]),
        "mixed": share([damage.mixed(*output) for output in outputs]),
        "signs": share([damage.signs(*output) for output in outputs]),
        "harmed": share([damage.torn(*o) or damage.mixed(*o) or damage.signs(*o) for o in outputs]),
    }


def _still(afters: Sequence[str | None], texts: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Share of the texts it took that came back byte for byte, and the languages in which one did not."""
    pairs = [(text, lang, after) for (text, lang), after in zip(texts, afters, strict=True) if after is not None]
    return {
        "refused": len(texts) - len(pairs),
        "intact": share([text == after for text, _, after in pairs]),
        "changed_in": sorted({lang for text, lang, after in pairs if text != after}),
    }
