"""How good an encoder is across languages: a linear probe trained on English alone, and sentence retrieval.

SIB-200 (Adelani et al. 2024, arXiv 2309.07445): logistic regression on mean-pooled vectors of the English training set,
its strength chosen by cross-validation within it, tested in every language. Tatoeba (Artetxe and Schwenk 2019, arXiv
1812.10464): for each sentence the English one of highest cosine within the language's pool; accuracy at 1. XNLI
(Conneau et al. 2018, arXiv 1809.05053), where the data folder has it: the same on 600 hypotheses of its test set, one
pool for all languages.

While one still chooses: probes cross-fitted on SIB-200 train and dev, and retrieval among the sentences of its training
set, which are the same in every language.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from transformers import AutoModel, AutoTokenizer

from probes.statistics.intervals import wilson
from training.align.distil import device, encode
from training.align.pairs import ENGLISH, PairsError

POOL = 600
STRENGTHS = (0.3, 1.0, 3.0, 10.0, 30.0)
Encode = Callable[[Sequence[str]], NDArray[np.float32]]


@dataclass(frozen=True)
class Score:
    """Accuracy of one measure in one language, with its 95 % Wilson interval."""

    measure: str
    lang: str
    n: int
    accuracy: float
    low: float
    high: float


def score(measure: str, lang: str, right: NDArray[np.bool_]) -> Score:
    low, high = wilson(int(right.sum()), len(right))
    return Score(measure, lang, len(right), float(right.mean()), low, high)


def load_encoder(name: str, max_length: int = 256) -> Encode:
    """An encoder folder or hub name as a function from texts to vectors of length one."""
    try:
        model = AutoModel.from_pretrained(name, dtype=torch.float32).eval().to(device())
        tokenizer = AutoTokenizer.from_pretrained(name)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise PairsError(
            f"{name} is neither an encoder folder nor a name the hub can be reached for: {reason}"
        ) from None
    return lambda texts: encode(model, tokenizer, texts, max_length)


def languages_of(name: str) -> list[str]:
    """The languages an aligned encoder says it covers; empty where it says nothing."""
    file = Path(name) / "languages.json"
    return json.loads(file.read_text()) if file.exists() else []


def _sib200(data: Path, split: str, languages: Collection[str]) -> dict[str, list[dict[str, str]]]:
    """Rows with id, text and label by language, of all languages where none is named."""
    file = data / "sib200" / f"{split}.jsonl.gz"
    if not file.exists():
        raise PairsError(f"{file} is missing; --data must name a folder that holds sib200/ and tatoeba/")
    found: dict[str, list[dict[str, str]]] = defaultdict(list)
    with gzip.open(file, "rt", encoding="utf-8") as stream:
        for line in stream:
            row = json.loads(line)
            if not languages or row["lang"] in languages:
                found[row["lang"]].append(row)
    return dict(sorted(found.items()))


def _vectors(encode: Encode, rows: Sequence[dict[str, str]]) -> NDArray[np.float32]:
    return encode([row["text"] for row in rows])


def _labels(rows: Sequence[dict[str, str]]) -> NDArray[np.str_]:
    return np.array([row["label"] for row in rows])


def _folds() -> StratifiedKFold:
    return StratifiedKFold(5, shuffle=True, random_state=0)


def _probe(vectors: NDArray[np.float32], labels: NDArray[np.str_]) -> LogisticRegression:
    """Logistic regression on these rows, its strength chosen by cross-validation among them."""
    search = GridSearchCV(LogisticRegression(max_iter=2000), {"C": STRENGTHS}, cv=_folds())
    return search.fit(vectors, labels).best_estimator_


def topic_probe(encode: Encode, data: Path, languages: Sequence[str]) -> list[Score]:
    """SIB-200 test accuracy by language of a linear probe that saw the English training set alone."""
    train = _sib200(data, "train", {ENGLISH})[ENGLISH]
    probe = _probe(_vectors(encode, train), _labels(train))
    return [
        score("sib200", lang, probe.predict(_vectors(encode, rows)) == _labels(rows))
        for lang, rows in _sib200(data, "test", languages).items()
    ]


def dev_topics(encode: Encode, data: Path, languages: Sequence[str]) -> list[Score]:
    """The same without the test set: five probes, each scored on a fifth of train and dev, and fitted to the rest."""
    rows: dict[str, dict[str, dict[str, str]]] = defaultdict(dict)
    for split in ("train", "dev"):
        for lang, found in _sib200(data, split, {ENGLISH, *languages} if languages else ()).items():
            rows[lang] |= {f"{split} {row['id']}": row for row in found}
    ids = sorted(set.intersection(*(set(own) for own in rows.values())))
    vectors = {lang: _vectors(encode, [own[id_] for id_ in ids]) for lang, own in rows.items()}
    labels = _labels([rows[ENGLISH][id_] for id_ in ids])
    right = {lang: np.zeros(len(ids), bool) for lang in rows}
    for seen, held in _folds().split(vectors[ENGLISH], labels):
        probe = _probe(vectors[ENGLISH][seen], labels[seen])
        for lang in vectors:
            right[lang][held] = probe.predict(vectors[lang][held]) == labels[held]
    return [score("sib200 dev", lang, correct) for lang, correct in right.items()]


def dev_retrieval(encode: Encode, data: Path, languages: Sequence[str]) -> list[Score]:
    """Accuracy at 1, by language, of retrieving the English sentence among 600 of SIB-200's training set."""
    rows = _sib200(data, "train", {ENGLISH, *languages} if languages else ())
    texts = {lang: {row["id"]: row["text"] for row in own} for lang, own in rows.items()}
    ids = sorted(set.intersection(*(set(own) for own in texts.values())))[:POOL]
    english = encode([texts[ENGLISH][id_] for id_ in ids])
    return [
        _found("sib200 retrieval", lang, encode([own[id_] for id_ in ids]), english)
        for lang, own in texts.items()
        if lang != ENGLISH
    ]


def retrieval(encode: Encode, data: Path, languages: Sequence[str]) -> list[Score]:
    """Tatoeba accuracy at 1 by language, from the language into English."""
    file = data / "tatoeba" / "test.tsv.gz"
    if not file.exists():
        raise PairsError(f"{file} is missing; --data must name a folder that holds sib200/ and tatoeba/")
    pools: dict[str, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    with gzip.open(file, "rt", encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE):
            if not languages or row["lang"] in languages:
                pools[row["lang"]][0].append(row["foreign"])
                pools[row["lang"]][1].append(row["en"])
    return [
        _found("tatoeba", lang, encode(foreign), encode(english)) for lang, (foreign, english) in sorted(pools.items())
    ]


def hypotheses(encode: Encode, data: Path, languages: Sequence[str]) -> list[Score]:
    """Accuracy at 1 of retrieving English XNLI hypotheses by language; empty where the data folder has no XNLI."""
    file = data / "xnli" / "test.jsonl.gz"
    if not file.exists():
        return []
    texts: dict[str, dict[str, str]] = defaultdict(dict)
    with gzip.open(file, "rt", encoding="utf-8") as stream:
        for line in stream:
            row = json.loads(line)
            texts[row["lang"]][row["id"]] = row["text_pair"]
    ids = sorted(set.intersection(*(set(own) for own in texts.values())))[:POOL]
    english = encode([texts[ENGLISH][id_] for id_ in ids])
    return [
        _found("xnli", lang, encode([texts[lang][id_] for id_ in ids]), english)
        for lang in sorted(texts)
        if lang != ENGLISH and (not languages or lang in languages)
    ]


def _found(measure: str, lang: str, foreign: NDArray[np.float32], english: NDArray[np.float32]) -> Score:
    return score(measure, lang, (foreign @ english.T).argmax(axis=1) == np.arange(len(foreign)))


TEST = (topic_probe, retrieval, hypotheses)
DEV = (dev_topics, dev_retrieval)


def evaluate(name: str, data: Path, languages: Sequence[str] = (), dev: bool = False) -> list[Score]:
    """Every measure, in the languages given, or in those the encoder says it covers, or in all."""
    chosen = list(languages) or languages_of(name)
    encoder = load_encoder(name)
    return [one for measure in (DEV if dev else TEST) for one in measure(encoder, data, chosen)]


def means(scores: Sequence[Score]) -> dict[str, float]:
    """Macro mean of each measure over the languages other than English."""
    grouped: dict[str, list[float]] = defaultdict(list)
    for one in scores:
        if one.lang != ENGLISH:
            grouped[one.measure].append(one.accuracy)
    return {measure: float(np.mean(values)) for measure, values in grouped.items()}


def to_json(name: str, scores: Sequence[Score]) -> str:
    """Everything measured, as JSON with sorted keys."""
    rows = [asdict(one) for one in scores]
    return json.dumps({"encoder": name, "means": means(scores), "scores": rows}, indent=1, sort_keys=True) + "\n"
