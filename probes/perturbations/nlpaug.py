"""The rule-based augmenters of the nlpaug library that work offline, one edit a word, behind our own gate."""

from __future__ import annotations

import json
import random
import unicodedata
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib import import_module
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from probes import languages
from probes.languages import Language
from probes.perturbations import NEEDS, Probe, family, same_scripts
from probes.registry import unknown
from probes.scripts.keyboards import typed_letters
from probes.text import Span, borders, script_of, units, words
from probes.types import Edit, Perturbation

_DRAWS = 3
# Words are handed over one by one (or two by two), so the library's own splitting, which loses spaces, is not used.
_WHOLE: dict[str, Any] = {"tokenizer": str.split, "reverse_tokenizer": " ".join}
_ONE_WORD = {"aug_word_p": 1.0, "aug_char_max": 1, "min_char": 2}
_KEYBOARDS = ("de", "en", "es", "fr", "he", "it", "nl", "pl", "th", "tr", "uk")


def _keyboard(language: Language, path: str | None) -> list[Any]:
    import nlpaug.augmenter.char as library

    # Without the special ones there would be no key beyond a to z; punctuation is left out by the gate.
    options = {"include_numeric": False, "include_upper_case": False}
    where = {"model_path": path} if path else {"lang": language.code}
    return [library.KeyboardAug(**where, **options, **_ONE_WORD, **_WHOLE)]


def _ocr(language: Language, path: str | None) -> list[Any]:
    import nlpaug.augmenter.char as library

    return [library.OcrAug(dict_of_path=path, **_ONE_WORD, **_WHOLE)]


def _random_char(language: Language, path: str | None) -> list[Any]:
    import nlpaug.augmenter.char as library

    letters = [key for key in typed_letters(language) if _stands_alone(key)]
    blind = [library.RandomCharAug(action=action, **_ONE_WORD, **_WHOLE) for action in ("swap", "delete")]
    # Without letters of the language the library would type ASCII into every script.
    typing = [
        library.RandomCharAug(action=action, candidates=letters, **_ONE_WORD, **_WHOLE)
        for action in ("insert", "substitute")
    ]
    return blind + (typing if letters else [])


def _random_word(language: Language, path: str | None) -> list[Any]:
    import nlpaug.augmenter.word as library

    return [library.RandomWordAug(action=action, aug_max=1, **_WHOLE) for action in ("swap", "delete")]


def _reserved(language: Language, path: str | None) -> list[Any]:
    import nlpaug.augmenter.word as library

    groups = json.loads(Path(path or "").read_text("utf-8"))
    if not isinstance(groups, list) or not all(
        isinstance(g, list) and all(isinstance(w, str) for w in g) for g in groups
    ):
        raise ValueError(f'{path}: expected groups of words, [["FW", "Fwd"], ...]')
    return [library.ReservedAug(reserved_tokens=groups, aug_p=1.0, **_WHOLE)]


def _spelling(language: Language, path: str | None) -> list[Any]:
    import nlpaug.augmenter.word as library

    made = library.SpellingAug(dict_path=path, aug_p=1.0, **_WHOLE)
    made.model = _model("word_dict.Spelling", made.dict_path)
    return [made]


def _split(language: Language, path: str | None) -> list[Any]:
    import nlpaug.augmenter.word as library

    return [library.SplitAug(aug_p=1.0, **_WHOLE)]


def _tfidf(language: Language, path: str | None) -> list[Any]:
    import nlpaug.augmenter.word as library

    made = library.TfIdfAug(model_path=path, aug_p=1.0, **_WHOLE)
    made.model = _model("word_stats.TfIdf", path or "")
    return [made]


@lru_cache(maxsize=8)
def _model(name: str, path: str) -> Any:
    """Data of the library by its file: it would itself keep the first it has read for every later one."""
    module, _, kind = name.partition(".")
    found = getattr(import_module(f"nlpaug.model.{module}"), kind)(path)
    for spellings in found.dict.values() if kind == "Spelling" else ():
        spellings.sort()  # the library keeps them in the order of a set, another in every process
    return found


NEEDS["a layout in nlpaug"] = lambda language: language.code in _KEYBOARDS
NEEDS["Latin letters"] = lambda language: language.scripts[:1] == ("Latin",)
NEEDS["spaces between words"] = lambda language: language.spaces
# The list of misspellings is English, but the library would "correct" any Latin text.
NEEDS["English"] = lambda language: language.code == "en"


@dataclass(frozen=True, slots=True)
class Augmenter:
    """One augmenter of the library: what it does, and what of a text it leaves alone behind the gate."""

    make: Callable[[Language, str | None], list[Any]]
    does: str
    cannot: str
    needs: str | None = None
    """Of the language, where the library's own data is used."""
    file: str = ""
    """What of the user's it reads in place of the library's data, or must read."""
    own_data: bool = True
    """Whether it does anything without such a file."""
    width: int = 1
    """How many words it needs to see at once."""
    letters_only: bool = False


AUGMENTERS = {
    "KeyboardAug": Augmenter(
        _keyboard,
        "neighbouring keys",
        "other layouts than its 11; letters of several code points",
        "a layout in nlpaug",
        "layout.json",
        letters_only=True,
    ),
    "OcrAug": Augmenter(
        _ocr, "letters misread by a scanner", "letters outside a to z", "Latin letters", "letters.json"
    ),
    "RandomCharAug": Augmenter(
        _random_char,
        "a letter inserted, replaced, swapped or deleted",
        "inserts and replaces only where a layout says which letters there are",
    ),
    "RandomWordAug": Augmenter(
        _random_word,
        "two words swapped, or one deleted",
        "texts without spaces; its substitution by an underscore is left out",
        "spaces between words",
        width=2,
    ),
    "ReservedAug": Augmenter(
        _reserved, "words of a group for one another", "phrases", None, "groups.json", own_data=False
    ),
    "SpellingAug": Augmenter(
        _spelling, "common misspellings", "words that are not in the list, which is English", "English", "words.txt"
    ),
    "SplitAug": Augmenter(_split, "a word cut in two", "texts without spaces", "spaces between words"),
    "TfIdfAug": Augmenter(
        _tfidf, "a word for one that says little", "words that are not in the folder", None, "FOLDER", own_data=False
    ),
}
"""The augmenters for text that need no download; the others (WordNet, embeddings, language models) do."""


def nlpaug_names() -> tuple[str, ...]:
    """Names of the augmenters that work offline with the library's own data, as `get` takes them."""
    return tuple(f"nlpaug:{name}" for name, one in AUGMENTERS.items() if one.own_data)


@family("nlpaug")
def augmenter(name: str) -> Probe:
    """An augmenter of nlpaug, also with a file of yours; ModuleNotFoundError says how to install the library."""
    head, _, path = name.partition(":")
    one = AUGMENTERS.get(head)
    if one is None or (path and not one.file):
        raise unknown("perturbation", f"nlpaug:{name}", nlpaug_names())
    if not path and not one.own_data:
        raise ValueError(f"nlpaug:{head} needs data of yours: nlpaug:{head}:{one.file}")
    try:
        import nlpaug  # noqa: F401
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"nlpaug:{head} needs nlpaug: pip install -c constraints.txt -e '.[nlpaug]'", name=error.name
        ) from error
    if path:
        _readable(head, one, path)
    edits: Perturbation = partial(_edits, one=one, path=path or None)
    files = _files(Path(path)) if path else ()
    return Probe(f"nlpaug:{name}", f"nlpaug: {one.does}.", "word", None if path else one.needs, edits, files=files)


def _files(path: Path) -> tuple[Path, ...]:
    """The file, or those of a folder."""
    return tuple(sorted(one for one in path.iterdir() if one.is_file())) if path.is_dir() else (path,)


def _readable(head: str, one: Augmenter, path: str) -> None:
    """ValueError where the augmenter cannot be made with the file."""
    try:
        with _seeded(0):
            one.make(languages.get("en"), path)
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"nlpaug:{head} cannot use {path} as {one.file}: {error}") from error


def _edits(text: str, language: Language, one: Augmenter, path: str | None) -> Iterator[Edit]:
    with _seeded(0):
        augmenters = one.make(language, path)
    seen: dict[str, list[str]] = {}
    for start, end in _windows(text, words(text, language), one.width):
        source = text[start:end]
        if source not in seen:
            found = _variants(source, augmenters)
            seen[source] = [new for new in found if not one.letters_only or _lettered(source, new)]
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


def _lettered(source: str, new: str) -> bool:
    """Whether nothing came in but letters and marks."""
    return all(char in source or unicodedata.category(char)[0] in "LM" for char in new)


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
