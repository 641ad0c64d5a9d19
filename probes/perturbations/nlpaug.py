"""The rule-based augmenters of the nlpaug library that work offline, one edit a word, behind our own gate."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from probes.languages import Language
from probes.perturbations import NEEDS, Probe, family, same_scripts
from probes.registry import unknown
from probes.text import Span, borders, script_of, units, words
from probes.types import Edit, Perturbation

_DRAWS = 3
# Words are handed over one by one (or two by two), so the library's own splitting, which loses spaces, is not used.
_WHOLE: dict[str, Any] = {"tokenizer": str.split, "reverse_tokenizer": " ".join}
_ONE_WORD = {"aug_word_p": 1.0, "aug_char_max": 1, "min_char": 2}
_KEYBOARDS = ("de", "en", "es", "fr", "he", "it", "nl", "pl", "th", "tr", "uk")


def _keyboard(language: Language) -> list[Any]:
    import nlpaug.augmenter.char as library

    options = {"include_special_char": False, "include_numeric": False, "include_upper_case": False}
    return [library.KeyboardAug(lang=language.code, **options, **_ONE_WORD, **_WHOLE)]


def _ocr(language: Language) -> list[Any]:
    import nlpaug.augmenter.char as library

    return [library.OcrAug(**_ONE_WORD, **_WHOLE)]


def _random_char(language: Language) -> list[Any]:
    import nlpaug.augmenter.char as library

    letters = [key for row in language.keyboard for key in row if _stands_alone(key)]
    blind = [library.RandomCharAug(action=action, **_ONE_WORD, **_WHOLE) for action in ("swap", "delete")]
    # Without letters of the language the library would type ASCII into every script.
    typing = [
        library.RandomCharAug(action=action, candidates=letters, **_ONE_WORD, **_WHOLE)
        for action in ("insert", "substitute")
    ]
    return blind + (typing if letters else [])


def _spelling(language: Language) -> list[Any]:
    import nlpaug.augmenter.word as library

    return [library.SpellingAug(aug_p=1.0, **_WHOLE)]


def _split(language: Language) -> list[Any]:
    import nlpaug.augmenter.word as library

    return [library.SplitAug(aug_p=1.0, **_WHOLE)]


def _random_word(language: Language) -> list[Any]:
    import nlpaug.augmenter.word as library

    return [library.RandomWordAug(action=action, aug_max=1, **_WHOLE) for action in ("swap", "delete")]


NEEDS["a layout in nlpaug"] = lambda language: language.code in _KEYBOARDS
NEEDS["Latin letters"] = lambda language: language.scripts[:1] == ("Latin",)
NEEDS["spaces between words"] = lambda language: language.spaces
# The list of misspellings is English, but the library would "correct" any Latin text.
NEEDS["English"] = lambda language: language.code == "en"

# name: (how to make its augmenters, what it changes, how many words it needs to see at once, what of the language)
_AUGMENTERS: dict[str, tuple[Callable[[Language], list[Any]], str, int, str | None]] = {
    "KeyboardAug": (_keyboard, "neighbouring keys, in 11 layouts", 1, "a layout in nlpaug"),
    "OcrAug": (_ocr, "letters misread by a scanner", 1, "Latin letters"),
    "RandomCharAug": (_random_char, "a letter inserted, replaced, swapped or deleted", 1, None),
    "RandomWordAug": (_random_word, "two words swapped, or one deleted", 2, "spaces between words"),
    "SpellingAug": (_spelling, "common English misspellings", 1, "English"),
    "SplitAug": (_split, "a word cut in two", 1, "spaces between words"),
}


def nlpaug_names() -> tuple[str, ...]:
    """Names of the augmenters that work offline, as `get` takes them."""
    return tuple(f"nlpaug:{name}" for name in _AUGMENTERS)


@family("nlpaug")
def augmenter(name: str) -> Probe:
    """An augmenter of nlpaug as a perturbation; ModuleNotFoundError says how to install the library."""
    if name not in _AUGMENTERS:
        raise unknown("perturbation", f"nlpaug:{name}", nlpaug_names())
    try:
        import nlpaug  # noqa: F401
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"nlpaug:{name} needs nlpaug: pip install babelproof[nlpaug]", name=error.name
        ) from error
    make, summary, width, needs = _AUGMENTERS[name]
    edits: Perturbation = partial(_edits, make=make, width=width)
    return Probe(f"nlpaug:{name}", f"nlpaug: {summary}.", "word", needs, edits)


def _edits(text: str, language: Language, make: Callable[[Language], list[Any]], width: int) -> Iterator[Edit]:
    with _seeded(0):
        augmenters = make(language)
    seen: dict[str, list[str]] = {}
    for start, end in _windows(text, words(text, language), width):
        source = text[start:end]
        if source not in seen:
            seen[source] = _variants(source, augmenters)
        yield from (edit for new in seen[source] if same_scripts(text, edit := Edit(start, end, new)))


def _windows(text: str, spans: list[Span], width: int) -> Iterator[Span]:
    """Single words, or pairs of words with one space between."""
    if width == 1:
        yield from spans
    else:
        yield from ((start, end) for (start, left), (right, end) in pairwise(spans) if text[left:right] == " ")


def _variants(source: str, augmenters: list[Any]) -> list[str]:
    """What the augmenters make of some words, the same for the same words; seeded without a trace outside."""
    # The library cuts between any two code points, so letters of several travel as one for private use.
    letters = [source[start:end] for start, end in units(source, (0, len(source)))]
    whole = {chr(0xE000 + i): letter for i, letter in enumerate(letters) if len(letter) > 1}
    inward = {letter: code for code, letter in whole.items()}
    coded = "".join(inward.get(letter, letter) for letter in letters)
    found: dict[str, None] = {}
    with _seeded(zlib.crc32(source.encode("utf-8", "surrogatepass"))):
        for one in augmenters:
            for _ in range(_DRAWS):
                found.update((_decoded(new, whole), None) for new in one.augment(coded))
    return [new for new in found if new.strip() and new != source]


def _decoded(coded: str, whole: dict[str, str]) -> str:
    """The letters that codes stand for; nothing if letters have melted, or one has become several code points."""
    letters = [whole.get(code, code) for code in coded]
    text = "".join(letters)
    return text if borders(text) >= set(accumulate(map(len, letters))) else ""


def _stands_alone(key: str) -> bool:
    """Whether a key types a letter by itself: no mark, no jamo, no vowel that leans on a consonant."""
    return key.isalpha() and script_of(key) != "Hangul" and len(units(3 * key, (0, 3))) == 3


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed the global generators that nlpaug draws from, and put them back as they were."""
    python, legacy = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(legacy)
