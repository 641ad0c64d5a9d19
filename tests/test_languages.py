"""Language data: complete, consistent with itself, and nothing but data."""

from __future__ import annotations

import ast
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
import regex

from probes import languages
from probes.detect import detect
from probes.scripts.keyboards import layout
from probes.scripts.marks import plain
from probes.steps import Step
from probes.text import script_of
from tests.golden import texts

XNLI = ["ar", "bg", "de", "el", "en", "es", "fr", "hi", "ru", "sw", "th", "tr", "ur", "vi", "zh"]
PAWSX = ["de", "en", "es", "fr", "ja", "ko", "zh"]
# Of the 50 of XTREME-R (Ruder et al. 2021), those not among these.
XTREME_R = "af az bn et eu fa fi gu he ht hu id it jv ka kk lt ml mr ms my nl pa pl pt qu ro ta te tl uk wo yo"
# What py3langid has no name for.
UNDETECTED = {"wo"}


def test_enough_languages_and_scripts():
    assert len({*XNLI, *PAWSX, *XTREME_R.split()}) == 50
    assert set(languages.codes()) >= {*XNLI, *PAWSX, *XTREME_R.split()}
    assert len(languages.codes()) >= 60
    assert len({script for code in languages.codes() for script in languages.get(code).scripts}) >= 25


@pytest.mark.parametrize("code", languages.codes())
def test_a_language_has_what_it_should(code):
    language = languages.get(code)
    missing = languages.missing(language)
    assert not missing, (
        f"probes/languages/{code}.py has no {', '.join(missing)}; what there is none of goes to `without`"
    )
    assert language.code == code
    there = {"keyboard": language.keyboard, "marks": language.marked + language.marks}
    assert not [kind for kind in language.without if there[kind]], "listed in `without` though it is there"
    assert code in dict(texts()), f"probes/languages/{code}.py has no sample"


def test_what_a_new_language_lacks_is_said():
    bare = languages.Language(code="xx", name="Xx", keyboard=("us",), marked="é", without=("marks",))
    assert languages.missing(bare) == (
        "scripts",
        *(f"a source for {kind}" for kind in ("keyboard", "marks", "punctuation")),
    )
    assert languages.missing(languages.Language(code="xx", name="", punctuation="")) == (
        *("name", "scripts", "punctuation", "keyboard", "marks"),
    )


@pytest.mark.parametrize("code", languages.codes())
def test_letters_are_of_the_languages_scripts(code):
    language = languages.get(code)
    strays = {script_of(char) for char in language.marked + language.marks} - {*language.scripts, "Common", "Inherited"}
    assert not strays
    assert all(names_of(name) & set(language.scripts) for name in language.keyboard)


def names_of(name):
    return {script_of(cell) for key in layout(name).keys.values() for cell in key}


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
    language = languages.get("chr")
    assert (language.code, language.scripts, language.keyboard, language.sources) == ("chr", (), (), ())


KNOWN = [(code, text) for code, text in texts() if code in languages.codes() and code not in UNDETECTED]


@pytest.mark.parametrize(("code", "text"), KNOWN, ids=[code for code, _ in KNOWN])
def test_detect_names_the_language_of_a_sentence(code, text):
    found, confidence = detect(text)
    assert found == code
    assert 0 < confidence <= 1


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


def test_a_language_is_known_by_any_of_its_codes():
    wanted = [("de", "deu"), ("deu", "de"), ("de", "DE"), ("de", "de_AT"), ("zh", "zh-Hant"), ("zh-Hant", "zh-hant")]
    assert all(languages.covers(one, other) for one, other in [*wanted, ("xx", "XX")])
    assert not any(languages.covers(*one) for one in (("zh-Hant", "zh"), ("zh-Hant", "zh-Hans"), ("de", "nl")))
    assert Step("s", ("drop",), languages=("de",)).covers("deu")
    assert languages.named("en", ["de", "eng"]) == "eng" and languages.named("en", ["en-GB", "en-US"]) is None
