"""Input methods: wrong candidates, Telex, Latin letters, and the Hangul arithmetic under them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from probes import languages, noise, perturbations
from probes.scripts import hangul, homophone_tables, homophones
from probes.scripts.romanisation import applies, romanised
from tests.golden import texts

NAMES = ("wrong_candidate", "telex", "telex:vni", "romanise")


def results(name, code, text):
    return [edit.new for edit in perturbations.get(name)(text, languages.get(code))]


@pytest.mark.parametrize(
    ("code", "text", "some", "never"),
    [
        ("zh", "事实", {"实施", "逝世"}, {"事实"}),
        ("zh", "在", {"再"}, {"载重"}),
        ("zh", "医生", {"一生"}, {"医声"}),
        ("zh-Hant", "覺得", {"決", "的"}, {"决"}),
        ("ja", "期間", {"機関"}, {"期"}),
        ("ja", "行きました", {"生き"}, {"良き"}),
        ("ja", "友達", set(), {"供達", "供"}),
        ("ja", "ひらがな", set(), set()),
    ],
)
def test_wrong_candidates_sound_the_same(code, text, some, never):
    found = set(results("wrong_candidate", code, text))
    assert some <= found
    assert not never & found


@pytest.mark.parametrize(("reading", "word", "near"), [("shi", "诗", "四"), ("lan", "蓝", "南"), ("jin", "今", "精")])
def test_sounds_that_are_mistaken(reading, word, near):
    assert homophones.reading(word) == reading
    assert near in homophones.candidates(word, "zh")


def test_every_line_of_the_tables_offers_a_choice():
    assert homophones.codes() == ("ja", "zh")
    for code, text in (("zh", "重要"), ("ja", "重要")):
        assert homophones.candidates(text, code)
        assert all(len(other) == 2 for other in homophones.candidates(text, code))


def test_the_tables_are_made_of_readings_and_frequencies(tmp_path):
    pinyin = {str(ord(a)): sound for a, sound in zip("事实施女律", ("shì", "shí", "shī", "nǚ,rǔ", "lǜ"), strict=True)}
    (tmp_path / "pinyin_dict.json").write_text(json.dumps(pinyin), "utf-8")
    (tmp_path / "phrases_dict.json").write_text(json.dumps({"事实": [["shì"], ["shí"]]}), "utf-8")
    (tmp_path / "dict.txt").write_text("事实 3 n\n实施 9 v\n女 2 n\n律 1 n\n", "utf-8")
    assert list(homophone_tables.chinese(tmp_path, tmp_path / "dict.txt")) == [
        *("lv\t律", "nv\t女", "shi\t实 施 事", "shi shi\t实施 事实"),
    ]
    row = "{},1,1,{},名詞,一般,*,*,*,{},{},{},x\n"
    lines = [("橋", 900, "*", "ハシ"), ("箸", 800, "*", "ハシ"), ("機関", 5, "*", "キカン"), ("饋還", 9, "*", "キカン")]
    for name in ("Noun.csv", "Noun.verbal.csv", "Noun.adjv.csv", "Verb.csv", "Adj.csv"):
        content = "".join(row.format(word, cost, form, word, sound) for word, cost, form, sound in lines)
        (tmp_path / name).write_text(content if name == "Noun.csv" else "", "euc-jp")
    assert list(homophone_tables.japanese(tmp_path)) == ["はし\t箸 橋"], "a rare kanji is left out"


@pytest.mark.parametrize(
    ("name", "word", "some", "never"),
    [
        ("telex", "tiếng", {"tiêng", "tiêngs", "tieengs", "tieesng", "tiễng", "tiéng"}, {"tiếng", "tieng"}),
        ("telex", "Đường", {"Đương", "Dduwowngf", "Dường"}, {"đương"}),
        ("telex", "TIẾNG", {"TIEENGS"}, {"TIEENGs"}),
        ("telex", "không", {"khoong", "khong"}, set()),
        ("telex", "cam", set(), {"cam"}),
        ("telex:vni", "tiếng", {"tie61ng", "tie6ng1", "tiềng"}, {"tiễng"}),
        ("telex:vni", "đường", {"d9u7o7ng2"}, set()),
    ],
)
def test_telex_and_vni(name, word, some, never):
    found = set(results(name, "vi", word))
    assert some <= found, found
    assert not never & found


def test_a_decomposed_word_stays_decomposed():
    assert "tie\u0302ng" in results("telex", "vi", "tie\u0302\u0301ng")


@pytest.mark.parametrize(
    ("code", "word", "some"),
    [
        ("ar", "مرحبا", {"mr7ba"}),
        ("ar", "وصل", {"wsl", "w9l"}),
        ("ar", "عربي", {"3rbi"}),
        ("fa", "تازه", {"taze"}),
        ("ru", "Привет", {"Privet"}),
        ("ru", "ЩУКА", {"SHCHUKA"}),
        ("uk", "Київ", {"Kiyiv", "Kyyiv", "Kiiv", "Kyiv"}),
        ("bg", "ще", {"shte", "6te"}),
        ("el", "πού", {"pou"}),
        ("el", "θέλω", {"thelo", "8elw"}),
        ("hi", "समझना", {"samajhnaa", "samajhna"}),
        ("hi", "नमस्ते", {"namaste"}),
        ("hi", "भारत", {"bhaarat", "bharat"}),
        ("bn", "ভালোবাসি", {"bhalobasi", "bhalobashi"}),
        ("ta", "தமிழ்", {"thamizh"}),
        ("te", "తెలుగు", {"telugu"}),
        ("pa", "ਪੰਜਾਬ", {"panjaab", "panjab"}),
        ("ml", "അവൻ", {"avan"}),
        ("si", "ක්‍රීඩා", {"kreedaa", "krida"}),
        ("ka", "თბილისი", {"tbilisi"}),
        ("hy", "Հայ", {"Hay", "Haj"}),
        ("he", "שלום", {"shlom"}),
        ("am", "ሰላም", {"selam"}),
        ("ko", "학교", {"hakgyo"}),
        ("zh", "好", {"hao"}),
        ("zh-Hant", "醫", {"yi"}),
        ("sr", "школа", {"skola"}),
    ],
)
def test_words_in_latin_letters(code, word, some):
    found = romanised(word, languages.get(code))
    assert set(found) & some, found
    assert all(each.isascii() for each in found)


def test_what_has_no_table_is_left_alone():
    assert not applies(languages.get("th")) and not applies(languages.get("en")) and not applies(languages.get("ja"))
    assert romanised("ꙮ", languages.get("ru")) == ()
    assert romanised("hello", languages.get("ru")) == ()


def test_hangul_is_taken_apart_and_put_together():
    for number in range(0xAC00, 0xD7A4, 7):
        assert hangul.compose(*hangul.parts(chr(number))) == chr(number)
    assert hangul.parts("값") == ("ㄱ", "ㅏ", "ㅂㅅ")
    assert hangul.compose("ㄱ", "ㄱ", "") is None


@pytest.mark.parametrize("name", NAMES)
def test_nothing_changes_at_strength_zero_and_little_escapes_at_one(name):
    for code, text in texts():
        language = languages.get(code)
        assert noise.perturb(text, language, [name], 0, np.random.default_rng(0)) == text
        changed = noise.perturb(text, language, [name], 1, np.random.default_rng(0))
        assert not perturbations.applicable(name, language) or code == "und" or changed != text or "-" in code
