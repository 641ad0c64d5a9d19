"""The suite: which behaviours are tested and their templates and words by language, read from TOML files."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, get_args

from probes import languages
from probes.behaviour.tasks import TASKS
from probes.behaviour.templates import Filler, Lexicon, MissingWord, TemplateError, check
from probes.registry import unknown

FOLDER = Path(__file__).parent / "data"

ANY = "any"
"""In place of a language: words and templates for every language that has what they need."""

Kind = Literal["MFT", "INV", "DIR"]
Side = tuple[str, ...]
"""Templates of one item: its text, or its text and its pair."""


class SuiteError(ValueError):
    """A file of behavioural tests that cannot be used; the message says what in it is wrong."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One test: MFT (the answer is known), INV (it must not change) or DIR (a label may not lose by it).

    vary is the word whose filler is exchanged to make the other text of an INV test. tolerance is how much
    probability the label of a DIR test may lose.
    """

    task: str
    name: str
    kind: Kind
    says: str
    vary: str | None = None
    tolerance: float = 0.1


@dataclass(frozen=True, slots=True)
class Template:
    """What is expected (LABEL, "not LABEL", "same" or "more LABEL") of one item, or of one and then another."""

    expects: str
    sides: tuple[Side, ...]


@dataclass(frozen=True, slots=True)
class Suite:
    """Behaviours, and by language words and templates."""

    behaviours: tuple[Behaviour, ...]
    lexicons: Mapping[str, Lexicon]
    templates: Mapping[tuple[str, str, str], tuple[Template, ...]]

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of the languages there are templates for."""
        return tuple(sorted({lang for lang, _, _ in self.templates}))

    def of(self, task: str, lang: str) -> list[Behaviour]:
        """The tests of a task in a language."""
        return [b for b in self.behaviours if b.task == task and (lang, task, b.name) in self.templates]

    @property
    def sha256(self) -> str:
        """Digest of everything the suite says."""
        whole = [
            [asdict(one) for one in self.behaviours],
            {
                lang: {word: [dict(f) for f in found] for word, found in lex.items()}
                for lang, lex in self.lexicons.items()
            },
            [[key, [asdict(one) for one in found]] for key, found in sorted(self.templates.items())],
        ]
        return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


def load(*more: Path) -> Suite:
    """The tests that ship, and those in more files of the same form; SuiteError says what is wrong with one."""
    return _read((*sorted(FOLDER.glob("*.toml")), *more)) if more else _shipped()


@lru_cache(maxsize=1)
def _shipped() -> Suite:
    return _read(sorted(FOLDER.glob("*.toml")))


def _read(paths: Sequence[Path]) -> Suite:
    reader = _Reader()
    for path in paths:
        reader.file(path)
    return reader.suite()


class _Reader:
    """Merges files; every word and every test of a language can be said once."""

    def __init__(self) -> None:
        self.behaviours: dict[tuple[str, str], Behaviour] = {}
        self.words: dict[str, dict[str, list[Filler]]] = {ANY: {}}
        self.found: dict[tuple[str, str, str], tuple[str, Mapping[str, Any]]] = {}

    def file(self, path: Path) -> None:
        try:
            said = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise SuiteError(f"{path}: {error}") from error
        for key, value in said.items():
            where = f"{path.name}: {key}"
            if key == "tests":
                self._definitions(_table(value, where), where)
            elif key == ANY or key in languages.codes():
                self._language(key, _table(value, where), where)
            else:
                raise SuiteError(f"{path.name}: {unknown('language', key, (*languages.codes(), ANY, 'tests'))}")

    def _definitions(self, value: Mapping[str, Any], where: str) -> None:
        for task, tests in value.items():
            _known(task, TASKS, "task", where)
            for name, said in _table(tests, where).items():
                at = f"{where}.{task}.{name}"
                for key in _table(said, at):
                    _known(key, [f.name for f in fields(Behaviour) if f.name not in ("task", "name")], "key", at)
                if said.get("kind") not in get_args(Kind) or not isinstance(said.get("says"), str):
                    raise SuiteError(f"{at} needs kind = one of {', '.join(get_args(Kind))}, and says = what it tests")
                if (task, name) in self.behaviours:
                    raise SuiteError(f"{at} is there twice")
                self.behaviours[task, name] = Behaviour(task, name, **said)

    def _language(self, lang: str, value: Mapping[str, Any], where: str) -> None:
        words = self.words.setdefault(lang, {})
        for key, said in value.items():
            if key == "words":
                for word, fillers in _table(said, where).items():
                    if word in words:
                        raise SuiteError(f"{where}: the word {word!r} is there twice")
                    words[word] = list(_fillers(fillers, f"{where}: word {word!r}"))
                continue
            _known(key, (*TASKS, "words"), "task", where)
            for name, templates in _table(said, where).items():
                if (lang, key, name) in self.found:
                    raise SuiteError(f"{where}.{key}.{name} is there twice")
                self.found[lang, key, name] = f"{where}.{key}.{name}", _table(templates, where)

    def suite(self) -> Suite:
        lexicons = {lang: {**self.words[ANY], **own} for lang, own in sorted(self.words.items()) if lang != ANY}
        templates: dict[tuple[str, str, str], tuple[Template, ...]] = {}
        for (said_for, task, name), (where, said) in self.found.items():
            if (task, name) not in self.behaviours:
                raise SuiteError(f"{where}: {unknown('test', name, [n for t, n in self.behaviours if t == task])}")
            read = tuple(_templates(said, self.behaviours[task, name], where))
            for lang in lexicons if said_for == ANY else (said_for,):
                usable = tuple(one for one in read if _fits(one, lexicons[lang], said_for == ANY, where))
                if usable:
                    templates[lang, task, name] = templates.get((lang, task, name), ()) + usable
        return Suite(tuple(self.behaviours.values()), lexicons, templates)


def _templates(said: Mapping[str, Any], behaviour: Behaviour, where: str) -> Iterator[Template]:
    task = TASKS[behaviour.task]
    two = behaviour.kind == "DIR" or (behaviour.kind == "INV" and behaviour.vary is None)
    for expects, templates in said.items():
        allowed = {
            "MFT": (*task.labels, *(f"not {label}" for label in task.labels)),
            "INV": ("same",),
            "DIR": tuple(f"more {label}" for label in task.labels),
        }[behaviour.kind]
        _known(expects, allowed, f"expectation of {behaviour.kind}", where)
        if not isinstance(templates, list) or not templates:
            raise SuiteError(f"{where}: {expects!r} must be a list with at least one template")
        for one in templates:
            if two and (not isinstance(one, list) or len(one) != 2):
                raise SuiteError(f"{where}: a template of this test is [before, after], not {one!r}")
            yield Template(expects, tuple(_side(side, task.pairs, where) for side in (one if two else [one])))


def _side(said: Any, pairs: bool, where: str) -> Side:
    side = said if pairs else [said]
    if not isinstance(side, list) or len(side) != 1 + pairs or not all(isinstance(text, str) for text in side):
        raise SuiteError(f"{where}: {'[premise, hypothesis]' if pairs else 'a text'} was expected, not {said!r}")
    return tuple(side)


def _fits(template: Template, lexicon: Lexicon, optional: bool, where: str) -> bool:
    try:
        for side in template.sides:
            for text in side:
                check(text, lexicon)
    except MissingWord as error:
        if optional:
            return False
        raise SuiteError(f"{where}: {error}") from error
    except TemplateError as error:
        raise SuiteError(f"{where}: {error}") from error
    return True


def _fillers(said: Any, where: str) -> Iterator[Filler]:
    if not isinstance(said, list) or not said:
        raise SuiteError(f"{where} must be a list with at least one filler")
    for one in said:
        filler = {"it": one} if isinstance(one, str) else one
        if not isinstance(filler, dict) or not filler or not all(isinstance(form, str) for form in filler.values()):
            raise SuiteError(f"{where}: a filler is a text or a table of texts, not {one!r}")
        yield filler


def _table(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise SuiteError(f"{where} must be a table, not {value!r}")
    return value


def _known(name: str, allowed: Sequence[str] | Mapping[str, Any], kind: str, where: str) -> None:
    if name not in allowed:
        raise SuiteError(f"{where}: {unknown(kind, name, allowed)}")
