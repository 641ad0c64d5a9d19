"""How good a bilingual lexicon is: precision at 1 against wordnets that share their keys."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from probes import languages
from probes.data import DataError
from probes.scripts.casing import lower
from probes.statistics.intervals import Share, wilson
from probes.synonyms import wordnet as wordnets
from training.align.pairs import ENGLISH
from training.lexicon import Lexicon, LexiconError

Lemmas = Mapping[str, frozenset[str]]
"""Lemmas of each synset key, in small letters."""


def wordnet(folder: Path, lang: str) -> Lemmas:
    """The wordnet in FOLDER/XX.tsv (or .gz, .xz): a key, then columns "lemmas..." joined by |; empty without a file."""
    path = next(iter(sorted(folder.glob(f"{lang}.tsv*"))), None)
    if path is None:
        return {}
    language = languages.get(lang)
    try:
        synsets = wordnets.tsv(path)
    except DataError as error:
        raise LexiconError(str(error)) from error
    return {key: frozenset(lower(lemma, language) for lemma in lemmas) for key, lemmas in synsets.items()}


def english_wordnet(folder: Path) -> Lemmas:
    """The English wordnet of a gold folder; LexiconError if there is none."""
    if not (found := wordnet(folder, ENGLISH)):
        raise LexiconError(f"{folder}: no English wordnet (en.tsv, en.tsv.gz or en.tsv.xz) to measure against")
    return found


def precision(lexicon: Lexicon, english: Lemmas, own: Lemmas) -> Share | None:
    """Share of words whose best translation is a lemma of a synset of theirs, with a 95 % Wilson interval.

    n counts the lexicon's words that both wordnets know in a common synset; None if there are none. Lemmas are compared
    as they are, so a right translation in an inflected form, or a sense the wordnet lacks, counts as wrong: in
    languages that inflect much the figure is a lower bound.
    """
    gold: dict[str, set[str]] = defaultdict(set)
    for key, lemmas in own.items():
        for word in english.get(key, ()) if lemmas else ():
            gold[word] |= lemmas
    language = languages.get(lexicon.lang)
    right = [lower(found[0].text, language) in gold[word] for word, found in lexicon.words.items() if word in gold]
    return Share(sum(right) / len(right), *wilson(sum(right), len(right)), len(right)) if right else None
