"""Language data: complete, consistent with itself, and nothing but data."""

from __future__ import annotations

import ast
import subprocess
import sys
import unicodedata
from collections import Counter
from pathlib import Path

import pytest
import regex

from probes import languages
from probes.detect import detect
from probes.keyboards import neighbours, slips
from probes.marks import plain
from probes.text import script_of
from tests.golden import texts

XNLI = ["ar", "bg", "de", "el", "en", "es", "fr", "hi", "ru", "sw", "th", "tr", "ur", "vi", "zh"]
PAWSX = ["de", "en", "es", "fr", "ja", "ko", "zh"]
# What is not there, and why: typed through an input method, or written with no mark anybody drops.
NO_KEYBOARD = {"zh", "am"}
NO_MARKS = {"id", "ms", "sw", "mr", "ne", "gu", "ta", "te", "kn", "ml", "si", "th", "lo", "km", "my", "ka", "hy", "am"}
NO_MARKS |= {"ko", "ja", "zh"}


def test_enough_languages_and_scripts():
    assert set(languages.codes()) >= {*XNLI, *PAWSX}
    assert len(languages.codes()) >= 60
    assert len({script for code in languages.codes() for script in languages.get(code).scripts}) >= 25


@pytest.mark.parametrize("code", languages.codes())
def test_a_language_has_what_it_should(code):
    language = languages.get(code)
    missing = [
        field
        for field, optional in (
            ("name", False),
            ("scripts", False),
            ("punctuation", False),
            ("sources", False),
            ("keyboard", code in NO_KEYBOARD),
            ("marked or marks", code in NO_MARKS),
        )
        if bool(any(getattr(language, part) for part in field.split(" or "))) is optional
    ]
    assert not missing, f"{code}.py: {missing} missing, or listed in this test as missing though it is there"
    assert language.code == code
    wanted = {
        field
        for field, there in (("keyboard", language.keyboard), ("marks", language.marked + language.marks))
        if there
    }
    assert wanted <= {source.partition(":")[0] for source in language.sources}, "a source for each kind of data"


@pytest.mark.parametrize("code", languages.codes())
def test_letters_are_of_the_languages_scripts(code):
    language = languages.get(code)
    keys = "".join((*language.keyboard, *language.shift)).replace(" ", "")
    strays = {
        char
        for char in keys + language.marked + language.marks
        if script_of(char) not in (*language.scripts, "Common", "Inherited")
    }
    assert not strays - {"ー"}
    for layer in (language.keyboard, language.shift):
        assert not [key for key, times in Counter("".join(layer).replace(" ", "")).items() if times > 1]
    assert keys == keys.lower()


@pytest.mark.parametrize("code", languages.codes())
def test_no_vowel_of_an_abugida_counts_as_a_mark(code):
    language = languages.get(code)
    vowels = regex.compile(r"\p{InSC=Vowel_Dependent}|\p{InSC=Vowel}|\p{InSC=Virama}")
    assert not vowels.search(language.marks + language.marked)
    assert all(unicodedata.category(mark) == "Mn" for mark in language.marks)
    assert all(plain(letter) != letter for letter in language.marked), "every marked letter has a plain one"


@pytest.mark.parametrize("path", sorted(Path(languages.__file__).parent.glob("[!_]*.py")), ids=lambda path: path.stem)
def test_language_files_hold_data_only(path):
    docstring, imported, assigned = ast.parse(path.read_text("utf-8")).body
    assert isinstance(docstring, ast.Expr)
    assert isinstance(imported, ast.ImportFrom) and imported.module == "probes.languages"
    assert isinstance(assigned, ast.Assign)


@pytest.mark.parametrize(
    ("code", "found"),
    [("zh-Hant", "zh"), ("pt_BR", "pt"), ("EN", "en"), ("no", "nb"), ("sr-Latn-RS", "sr"), ("fil", "tl")],
)
def test_get_falls_back_to_the_primary_language(code, found):
    assert languages.get(code) is languages.get(found)


def test_an_unknown_language_is_one_nothing_is_known_of():
    language = languages.get("yo")
    assert (language.code, language.scripts, language.keyboard, language.sources) == ("yo", (), (), ())


@pytest.mark.parametrize(
    ("code", "key", "beside"),
    [
        ("en", "g", set("ftyhbv")),
        ("en", "q", set("wa")),
        ("fr", "a", set("zqé")),
        ("de", "z", set("tugh")),
        ("ru", "а", set("векпсм")),
        ("hi", "क", set("रतगदस")),
    ],
)
def test_neighbours_follow_from_the_geometry_of_the_keys(code, key, beside):
    near = neighbours(languages.get(code).keyboard)
    assert beside <= set(near[key])
    assert all(key in near[other] for other in near[key])
    assert len(near[key]) <= 8


@pytest.mark.parametrize(
    ("code", "unit", "some", "never"),
    [
        ("ko", "각", {"갇", "객", "삭"}, set("ㄱㅏ")),
        ("tr", "İ", {"Ş"}, {"i", "I"}),
        ("en", "Q", {"W", "A"}, {"w", "1"}),
        ("hi", "कि", {"रि", "कु"}, {"क", "ि"}),
        ("th", "กั", {"ดั", "กี"}, {"เั"}),
        ("ja", "カ", {"ス", "ン"}, {"い"}),
        ("fr", "E\u0301", {"A", "Z"}, {"e"}),
        ("zh", "好", set(), set()),
    ],
)
def test_slips_keep_script_case_and_syllable(code, unit, some, never):
    found = set(slips(unit, languages.get(code)))
    assert some <= found
    assert not never & found


KNOWN = [(code, text) for code, text in texts() if code in languages.codes()]


@pytest.mark.parametrize(("code", "text"), KNOWN, ids=[code for code, _ in KNOWN])
def test_detect_names_the_language_of_a_sentence(code, text):
    found, confidence = detect(text)
    assert found == code
    assert 0 < confidence <= 1


def test_every_language_has_a_sample_text():
    assert {code for code, _ in texts()} >= set(languages.codes())


@pytest.mark.parametrize("text", ["", " \n", "123 !?", "👍🏽", "\ud83d"])
def test_detect_says_so_when_there_are_no_letters(text):
    assert detect(text) == ("und", 0.0)


@pytest.mark.parametrize(
    ("text", "code"),
    [("สวัสดี", "th"), ("γεια", "el"), ("ありがとう", "ja"), ("안녕", "ko"), ("你好", "zh"), ("This is good", "en")],
)
def test_detect_works_on_a_word_or_two(text, code):
    assert detect(text)[0] == code


def test_importing_probes_is_light():
    heavy = ["torch", "transformers", "bentoml", "onnxruntime", "py3langid", "nlpaug", "pandas"]
    code = (
        f"import sys, probes, probes.noise, probes.detect; print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
