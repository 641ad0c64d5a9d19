"""Function word: an article, preposition or conjunction is left out or exchanged, and the text means the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from probes.languages import Language
from probes.perturbations import NEEDS, perturbation
from probes.scripts.casing import lower, match_case
from probes.text import words
from probes.types import Edit

_TABLE = Path(__file__).parent.parent / "scripts" / "tables" / "function_words.tsv"


@perturbation(unit="word", needs="a list of function words")
def function_word(text: str, language: Language) -> Iterator[Edit]:
    """An article, preposition or conjunction is left out, or is another of its kind; never one that negates."""
    classes, spans = function_words()[language.code], words(text, language)
    for start, end in spans if len(spans) > 1 else ():
        word = text[start:end]
        if (others := classes.get(lower(word, language))) is not None:
            yield from (Edit(start, end, match_case(word, other, language)) for other in others)
            if text[end : end + 1] == " ":
                yield Edit(start, end + 1, "")


@lru_cache(maxsize=1)
def function_words() -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """Per language each function word and the others of its class: none says the opposite of another.

    Written for this project; a line of the table is a language's classes, tabs between. Words that negate, compare or
    restrict (not, without, than, but) are none of them.
    """
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for line in _TABLE.read_text("utf-8").splitlines():
        code, *classes = line.split("\t")
        kinds = [kind.split() for kind in classes]
        members = dict.fromkeys(word for kind in kinds for word in kind)
        found[code] = {
            word: tuple(dict.fromkeys(o for kind in kinds if word in kind for o in kind if o != word))
            for word in members
        }
    return found


NEEDS["a list of function words"] = lambda language: language.code in function_words()
