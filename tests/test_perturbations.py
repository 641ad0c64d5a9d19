"""Every perturbation: its golden rows, and what holds of all of them in every language."""

from __future__ import annotations

import random
import subprocess
import sys
import unicodedata
from pkgutil import iter_modules

import numpy as np
import pytest
import regex

from probes import languages, noise, perturbations, synonyms
from probes.perturbations.invisible import INVISIBLE
from probes.perturbations.nlpaug import nlpaug_names
from probes.registry import UnknownName
from probes.text import borders, graphemes, scripts, splice
from probes.types import Edit
from tests.golden import FEWEST_ROWS, FOLDER, rows, texts

NAMES = perturbations.names()
TEXTS = texts()
# Their job is another script, or what belongs to none.
FOREIGN = {"homoglyph", "script_variant", "transliteration", "romanise", "wrong_layout"}


def edits(name, text, code):
    return list(perturbations.get(name)(text, languages.get(code)))


def results(name, text, code):
    return {splice(text, [edit]) for edit in edits(name, text, code)}


@pytest.mark.parametrize("name", NAMES)
def test_golden_rows(name):
    found = [
        (code, text, noise.perturb(text, languages.get(code), [name], strength, np.random.default_rng(seed)))
        for code, text, strength, seed, _ in rows(name)
    ]
    assert found == [(code, text, result) for code, text, _, _, result in rows(name)]
    assert len(found) >= FEWEST_ROWS
    assert sum(text != result for _, text, result in found) >= len(found) / 2
    known = map(languages.get, languages.codes())
    possible = {language.scripts[:1] for language in known if perturbations.applicable(name, language)}
    assert len({languages.get(code).scripts[:1] for code, *_ in found}) >= min(4, len(possible))


def test_every_perturbation_has_golden_rows_and_nothing_else_has():
    assert {path.stem for path in FOLDER.glob("*.tsv")} == {*NAMES, "texts"}


def test_every_file_is_a_perturbation_of_its_name():
    """One that registers nothing would go unnoticed; three are made out of what is named after a colon."""
    found = {module.name for module in iter_modules(perturbations.__path__)}
    assert found - set(NAMES) == {"code_mix", "misspelling", "nlpaug"}, "put @perturbation(unit=...) above its function"


def test_the_catalogue():
    assert len(NAMES) >= 26
    assert tuple(sorted(NAMES)) == NAMES
    for name in NAMES:
        assert perturbations.unit(name) in ("grapheme", "word")
        assert len(perturbations.describe(name)) > 20
        assert "\n" not in perturbations.describe(name)


@pytest.mark.parametrize("name", NAMES)
def test_edits_are_whole_graphemes_in_the_scripts_of_the_text(name):
    for code, text in TEXTS:
        at, before = borders(text), scripts(text).keys()
        for edit in edits(name, text, code):
            assert edit.start in at and edit.end in at, (code, edit)
            assert edit.new != text[edit.start : edit.end]
            result = splice(text, [edit])
            assert {edit.start, edit.start + len(edit.new)} <= borders(result), (code, edit)
            assert name in FOREIGN or scripts(edit.new).keys() <= before, (code, edit)


@pytest.mark.parametrize("name", NAMES)
def test_no_mark_is_left_without_its_letter(name):
    orphan = regex.compile(r"(?:^|[\s\p{P}])\p{M}|(?:^|[\s\p{P}])[ะาำๅະາຳ]|[เ-ไເ-ໄ](?:$|[\s\p{P}])|[ᄀ-ᇿ]")
    for code, text in TEXTS:
        # Hangul in parts is what normal_form is for.
        if code != "und" and (name, code) != ("normal_form", "ko"):
            for edit in edits(name, text, code):
                assert not orphan.search(splice(text, [edit])), (code, edit)


@pytest.mark.parametrize("name", NAMES)
def test_line_breaks_and_tabs_stay(name):
    text = " The important idea\n\twas big \r\n\r\nand good  \u00a0\n"
    for edit in edits(name, text, "en"):
        assert regex.findall(r"[^\S ]", splice(text, [edit])) == regex.findall(r"[^\S ]", text)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_normalised(name):
    nfd = unicodedata.normalize("NFD", "Über Löwen schön großes Problem")
    for edit in edits(name, nfd, "de"):
        rest = nfd[: edit.start] + nfd[edit.end :]
        assert rest == unicodedata.normalize("NFD", rest)
        assert splice(nfd, [edit]).startswith(nfd[: edit.start])
        assert splice(nfd, [edit]).endswith(nfd[edit.end :])


@pytest.mark.parametrize(
    ("name", "code", "text", "some", "never"),
    [
        ("keyboard", "en", "Big", {"Nig", "Bog", "Bif"}, {"nig", "8ig"}),
        ("keyboard", "ru", "Да", {"Ла", "Дв"}, {"Da"}),
        ("keyboard", "ko", "한", {"란", "힌", "함"}, {"ㅎㅏㄴ"}),
        ("swap", "en", "word 12", {"owrd 12", "wrod 12"}, {"word 21", "wor d12"}),
        ("swap", "th", "มาก", {"กมา"}, {"ามก"}),
        ("swap", "zh", "今天", {"天今"}, set()),
        ("drop", "hi", "क्षत्रिय", {"त्रिय", "क्षय"}, {"षत्रिय", "क्षत्रय"}),
        ("drop", "en", "a bc", {"a b", "a c"}, {" bc"}),
        ("repeat", "ar", "بيت", {"ببيت", "بييت"}, set()),
        ("case", "tr", "ışık İzmir", {"IŞIK İzmir", "ışık izmir"}, {"IŞIK IZMIR", "ışık i̇zmir"}),
        ("case", "de", "Straße", {"STRAßE", "straße"}, {"STRASSE"}),
        ("case", "el", "ΛΟΓΟΣ", {"λογος"}, {"λογοσ"}),
        ("whitespace", "en", "to be", {"tobe", "to  be", "t o be"}, {"to\nbe"}),
        ("whitespace", "zh", "你好", {"你 好"}, set()),
        ("punctuation", "en", "Yes, 3,5", {"Yes 3,5", "Yes,, 3,5", "Yes. 3,5"}, {"Yes, 35"}),
        ("punctuation", "hi", "हाँ।", {"हाँ", "हाँ।।"}, {"हाँ."}),
        ("diacritics", "fr", "Été cafe\u0301", {"Eté cafe\u0301", "Été cafe"}, {"été cafe\u0301"}),
        ("diacritics", "vi", "tiếng", {"tiêng", "tieng", "tiềng"}, set()),
        ("diacritics", "pl", "ŁÓDŹ", {"LÓDŹ", "ŁODŹ"}, {"lÓDŹ"}),
        ("diacritics", "ar", "مُفيد أن", {"مفيد أن", "مُفيد ان"}, set()),
        ("diacritics", "hi", "ज़रूर", {"जरूर"}, {"ज़रर"}),
        ("homoglyph", "ru", "сон", {"cон", "сoн"}, {"сон"}),
        ("invisible", "en", "ab", {f"a{mark}b" for mark in INVISIBLE}, set()),
        ("word_drop", "en", "I am (not) here", {"am (not) here", "I am () here", "I am (not)"}, set()),
        ("word_drop", "en", "alone", set(), {""}),
        ("word_order", "en", "red house, big", {"house red, big"}, {"red big, house"}),
        ("word_order", "ja", "学校に行く", {"行く学校に"}, set()),
        ("synonym", "en", "BIG Doctor", {"LARGE Doctor", "BIG Physician"}, {"large Doctor"}),
        ("synonym", "zh", "我很高兴", {"我很开心"}, set()),
    ],
)
def test_examples(name, code, text, some, never):
    found = results(name, text, code)
    assert some <= found
    assert not (never | {text}) & found


@pytest.mark.parametrize(
    ("name", "applies", "not_applies"),
    [
        ("keyboard", "en ru hi th ko ja am yo wo", "zh chr"),
        ("case", "en ru el hy tr yo", "zh ar hi th ka"),
        ("diacritics", "fr vi tr ar he hi kk", "zh th ta id"),
        ("homoglyph", "en ru el zh yo ta", "si pa"),
        ("reorder", "en he zh ko am yo", "ar hi th"),
        ("zalgo", "en ru el ka hy yo", "ar hi th he zh"),
        ("spacing", "zh ja th lo km my", "en ko ar"),
        ("digits", "ar fa hi bn th my", "en zh ru"),
        ("dates", "en de zh hi nb yo", "sv lt"),
        ("script_variant", "zh sr kk az uz", "ja ru en"),
        ("synonym", "en de es fr ru zh ar hi pt it ja", "fi ta yo"),
        ("swap", "en zh th yo", ""),
        ("nlpaug:KeyboardAug", "en de tr uk", "ru zh hi"),
        ("nlpaug:SpellingAug", "en", "de ru"),
    ],
)
def test_what_applies_is_computed_from_the_language(name, applies, not_applies):
    assert all(perturbations.applicable(name, languages.get(code)) for code in applies.split())
    for code in not_applies.split():
        assert not perturbations.applicable(name, languages.get(code))
        assert not edits(name, dict(TEXTS)[code], code)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("keybord", "did you mean 'keyboard'"),
        ("xyz", "known: backspace, case"),
        ("nlpaug:KeybordAug", "did you mean 'nlpaug:KeyboardAug'"),
        ("swap:fast", "did you mean 'swap'"),
        ("no_such_package.module:thing", "no module 'no_such_package'"),
        ("probes.text:thing", "has no 'thing'"),
    ],
)
def test_an_unknown_name_is_told_what_was_meant(name, message):
    with pytest.raises(KeyError) as caught:
        perturbations.get(name)
    assert isinstance(caught.value, UnknownName)
    assert message in str(caught.value)


def shout(text, language):
    """Somebody else's: an exclamation mark at the end, and one inside a grapheme."""
    yield Edit(len(text), len(text), "!")
    yield Edit(len(text) - 1, len(text) - 1, "!")


def test_somebody_elses_perturbation_passes_the_same_gate():
    name = f"{__name__}:shout"
    assert perturbations.describe(name).startswith("Somebody else's")
    assert results(name, "cafe\u0301", "fr") == {"cafe\u0301!"}


def test_synonyms_of_a_file(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text('{"хлеб": ["батон"], "big": ["vast", "огромный"]}', "utf-8")
    name = f"synonym:{path}"
    assert results(name, "Хлеб", "ru") == {"Батон"}
    assert results(name, "Big", "fi") == {"Vast"}, "no list is shipped for Finnish, and another script is not taken"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", b"{", "not JSON"),
        ("a.json", b"[1]", "found list"),
        ("a.json", b'{"big": "large"}', "'big' should have a list of words"),
        ("a.json.gz", b"plain", "not JSON"),
    ],
)
def test_a_bad_synonym_file_is_refused_by_name(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        synonyms.load(path)
    assert str(path) in str(caught.value)


def test_shipped_synonyms():
    sizes = {code: len(synonyms.of(code)) for code in synonyms.codes()}
    assert len(sizes) >= 8
    assert sizes["en"] >= 150
    assert min(sizes.values()) >= 40
    for code in sizes:
        for word, others in synonyms.of(code).items():
            assert others and word not in others and len(set(others)) == len(others)
            assert scripts("".join((word, *others))).keys() <= set(languages.get(code).scripts)


@pytest.mark.parametrize("name", nlpaug_names())
def test_nlpaug_augmenters_pass_the_gate_and_leave_no_trace(name):
    pytest.importorskip("nlpaug")
    python, legacy = random.getstate(), np.random.get_state()
    found = [(code, text, edits(name, text, code)) for code, text in TEXTS]
    assert random.getstate() == python
    assert all(np.array_equal(a, b) for a, b in zip(np.random.get_state(), legacy, strict=True))
    assert sum(bool(each) for _, _, each in found) >= (1 if name == "nlpaug:SpellingAug" else 5)
    for code, text, each in found[:4]:
        random.seed(code)
        assert edits(name, text, code) == each, "the same whatever the global seed"
    for code, text, each in found:
        for edit in each:
            source, result = text[edit.start : edit.end], splice(text, [edit])
            assert scripts(edit.new).keys() <= scripts(source or text).keys(), (code, edit)
            assert {edit.start, edit.start + len(edit.new)} <= borders(result), (code, edit)
            whole = {source[a:b] for a, b in graphemes(source) if b - a > 1}
            assert {edit.new[a:b] for a, b in graphemes(edit.new) if b - a > 1} <= whole, (code, edit)
            assert set(regex.findall(r"\s", edit.new)) <= {" "}


def test_missing_nlpaug_says_how_to_install_it():
    code = (
        "import sys; sys.modules['nlpaug'] = None; from probes import perturbations; perturbations.get('nlpaug:OcrAug')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "pip install -c constraints.txt -e '.[nlpaug]'" in done.stderr
