"""babelproof and its peers at the same work in turn: attacks, noise, texts left alone, languages."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import damage
from benchmarks.peers.asking import ATTACKERS, NAMES, Peer, PeerError
from probes.dose import distance
from probes.statistics.intervals import wilson
from probes.text import graphemes
from probes.types import Example

OURS = "babelproof"
BUDGET = 200
"""Queries an attack may ask, the ranking of words included."""
DISTANCE = 30
"""Characters an attack may change (Levenshtein): what the recipe of DeepWordBug allows."""
WITHIN = (2, 4, 8, DISTANCE)
"""Distances at which success is read off, in graphemes: the same measure for both."""
STRENGTH = 0.1
Answers = list[dict[str, dict[str, Any]]]
"""What each peer answered, round by round."""


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
        attacks = _rounds(peers, [name for name in ATTACKERS if name in peers], _attack_requests(work), failed)
        texts = [[example.item.text, example.lang] for example in work.perturbed]
        noise = [{"do": "perturb", "texts": texts, "strength": STRENGTH}] * (work.rounds + 1)
        perturbed = _rounds(peers, list(peers), noise, failed)
        still = damage.still(work.perturbed)
        unmoved = _rounds(peers, list(peers), [{"do": "perturb", "texts": still, "strength": 0.0}], failed)
        return {
            "peers": {name: peer.about for name, peer in peers.items()},
            "failed": failed,
            "attacks": _attacks(attacks[1:], work),
            "noise": _noise(perturbed[1:], work.perturbed),
            "still": {name: _still(answer["texts"], still) for name, answer in unmoved[0].items()},
        }


def _attack_requests(work: Work) -> list[dict[str, Any]]:
    """Other texts in each round: caches of texts seen before would else answer for a tool."""
    size = work.per_round
    slices = [work.attacked[i * size : (i + 1) * size] for i in range(work.rounds + 1)]
    if len(slices[-1]) < size:
        raise ValueError(f"{(work.rounds + 1) * size} texts are needed, there are {len(work.attacked)}")
    slices[0] = slices[0][:2]
    return [
        {
            "do": "attack",
            "texts": [[e.item.text, e.lang, e.label] for e in some],
            "budget": BUDGET,
            "distance": DISTANCE,
        }
        for some in slices
    ]


def _rounds(
    peers: Mapping[str, Peer], taking: Sequence[str], requests: Sequence[Mapping[str, Any]], failed: dict[str, str]
) -> Answers:
    """Each request to each peer, who begins changing from round to round; one that fails is out from then on."""
    answers: Answers = []
    for number, request in enumerate(requests):
        turn = number % max(1, len(taking))
        answers.append({})
        for name in (*taking[turn:], *taking[:turn]):
            if name not in failed:
                print(f"{request['do']}, round {number + 1} of {len(requests)}: {name}", file=sys.stderr)
                try:
                    answers[-1][name] = peers[name].ask(request)
                except PeerError as error:
                    failed[name] = str(error)
    return [{name: found for name, found in answer.items() if name not in failed} for answer in answers]


def _ratio(answers: Answers, name: str, cost: Callable[[Mapping[str, Any]], float]) -> dict[str, float] | None:
    """How many times as fast as babelproof in the same round: median, lowest and highest of the rounds."""
    if any(OURS not in answer for answer in answers):
        return None
    found = sorted(cost(answer[OURS]) / cost(answer[name]) for answer in answers)
    return {"ratio": median(found), "low": found[0], "high": found[-1]}


def _attacks(answers: Answers, work: Work) -> dict[str, Any]:
    """Speed, with the model's own time and without, and success by distance, of each peer that attacks."""
    befores = [e.item.text for e in work.attacked[work.per_round : (work.rounds + 1) * work.per_round]]
    found = {}
    for name in answers[0] if answers else ():
        mine = [answer[name] for answer in answers]
        rows = [row for answer in mine for row in answer["rows"]]
        steps = [
            _distance(before, row) for before, row in zip(befores, rows, strict=True) if row[0] in ("fooled", "held")
        ]
        queries, seconds = sum(answer["queries"] for answer in mine), sum(answer["seconds"] for answer in mine)
        victim = sum(answer["victim_seconds"] for answer in mine)
        found[name] = {
            "attacks": len(steps),
            "wrong": sum(row[0] == "wrong" for row in rows),
            "out": sum(row[0] == "out" for row in rows),
            "attacks_per_second": len(steps) / seconds,
            "speed": _ratio(answers, name, lambda answer: answer["seconds"]),
            "own_speed": _ratio(answers, name, lambda answer: answer["seconds"] - answer["victim_seconds"]),
            "queries_per_attack": queries / max(1, len(steps)),
            "milliseconds_per_query": {"model": 1000 * victim / queries, "tool": 1000 * (seconds - victim) / queries},
            "success": {str(most): _share([step is not None and step <= most for step in steps]) for most in WITHIN},
        }
    return found


def _distance(before: str, row: Sequence[Any]) -> int | None:
    """Graphemes between a text and what fooled the model; None where nothing did."""
    return None if row[1] is None or row[0] != "fooled" else distance(_parts(before), _parts(row[1]))


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
            "texts_per_second": median(len(examples) / answer[name]["seconds"] for answer in answers),
            "speed": _ratio(answers, name, lambda answer: answer["seconds"]),
            "languages": languages,
            "languages_covered": sum(harm["touched"]["share"] >= 0.5 for harm in languages.values()),
            **_harm([text for texts in by_lang.values() for text in texts]),
        }
    return found


def _harm(texts: Sequence[Sequence[tuple[str, str]]]) -> dict[str, Any]:
    """Share of texts that was touched in any round, and of touched outputs those harmed."""
    outputs = [(before, after) for draws in texts for before, after in draws if before != after]
    return {
        "touched": _share([any(before != after for before, after in draws) for draws in texts]),
        "torn": _share([damage.torn(*output) for output in outputs]),
        "mixed": _share([damage.mixed(*output) for output in outputs]),
        "signs": _share([damage.signs(*output) for output in outputs]),
        "harmed": _share([damage.torn(*o) or damage.mixed(*o) or damage.signs(*o) for o in outputs]),
    }


def _still(afters: Sequence[str | None], texts: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Share of the texts it took that came back byte for byte, and the languages in which one did not."""
    pairs = [(text, lang, after) for (text, lang), after in zip(texts, afters, strict=True) if after is not None]
    return {
        "refused": len(texts) - len(pairs),
        "intact": _share([text == after for text, _, after in pairs]),
        "changed_in": sorted({lang for text, lang, after in pairs if text != after}),
    }


def _share(hits: Sequence[bool]) -> dict[str, float]:
    """A share with its count and 95 % Wilson interval; of nothing, 0 of 0."""
    if not hits:
        return {"share": 0.0, "n": 0, "low": 0.0, "high": 1.0}
    low, high = wilson(sum(hits), len(hits))
    return {"share": sum(hits) / len(hits), "n": len(hits), "low": low, "high": high}


def _parts(text: str) -> list[str]:
    return [text[start:end] for start, end in graphemes(text)]
