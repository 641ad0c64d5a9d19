"""What the Unicode and surface perturbations promise: the text reads the same, shows the same, or says the same."""

from __future__ import annotations

import unicodedata
from datetime import date
from itertools import pairwise

import numpy as np
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from probes import languages, noise, perturbations
from probes.scripts import homoglyphs, unicode_tables
from probes.scripts.notation import notation
from probes.scripts.script_variants import codes, variant
from probes.scripts.writing import ALPHABETS, JOINING
from probes.text import graphemes, script_of, splice
from tests.golden import texts

TEXTS = texts()
samples = st.sampled_from(TEXTS)
seeds = st.integers(0, 2**32 - 1)


def noisy(name, code, text, seed):
    return noise.perturb(text, languages.get(code), [name], 0.5, np.random.default_rng(seed))


def shown(text):
    """A text as it is drawn: overrides turn what is between them, control characters take back a letter."""
    turned = regex.sub("[\u202d\u202e]([^\u202c]*)\u202c", lambda found: _reversed(found[1]), text)
    return regex.sub("\\X[\b\x7f]", "", turned)


def _reversed(text):
    return "".join(text[start:end] for start, end in reversed(graphemes(text)))


def bare(text, pattern):
    return regex.sub(pattern, "", text)


READS_THE_SAME = {
    "backspace": shown,
    "digits": lambda text: "".join(str(unicodedata.decimal(char, char)) for char in text),
    "emoji": lambda text: bare(text, "[📌📝📎💬🔹🌐 ]"),
    "invisible": lambda text: bare(text, "[\u200b-\u200d\u2060-\u2064\ufeff\u034f]"),
    "normal_form": lambda text: unicodedata.normalize("NFKC", text),
    "numbers": lambda text: bare(text, r"(?<=\d)[., \u00a0\u202f](?=\d{3})"),
    "reorder": shown,
    "spacing": lambda text: bare(text, "[ \u3000\u200b]"),
    "tags": lambda text: bare(text, "[\U000e0020-\U000e007e]"),
    "width": lambda text: unicodedata.normalize("NFKC", text),
    "zalgo": lambda text: bare(text, "[\u0346\u0347\u0352\u0353\u0357\u035a]"),
}


@pytest.mark.parametrize("name", READS_THE_SAME)
def test_the_text_reads_the_same(name):
    reading, touched = READS_THE_SAME[name], 0

    @settings(max_examples=60, deadline=None, derandomize=True)
    @given(samples, seeds)
    def check(sample, seed):
        nonlocal touched
        code, text = sample
        result = noisy(name, code, text, seed)
        touched += result != text
        assert reading(result) == reading(text)

    check()
    assert touched, "else nothing was tested"


def test_what_shows_nothing_is_ignorable_by_default():
    for name in ("invisible", "tags"):
        for edit in perturbations.get(name)("abc", languages.get("en")):
            assert regex.fullmatch(r"\p{ASCII}?\p{Default_Ignorable_Code_Point}", edit.new), edit


def test_joiners_are_left_to_the_scripts_that_need_them():
    for code in ("ar", "fa", "ur", "hi", "bn", "ta", "si", "th", "km", "my"):
        text = dict(TEXTS)[code]
        assert not [edit for edit in perturbations.get("invisible")(text, languages.get(code)) if len(edit.new) > 1]


@pytest.mark.parametrize(("code", "text"), TEXTS)
def test_marks_are_stacked_on_alphabets_only_and_never_make_another_letter(code, text):
    for edit in perturbations.get("zalgo")(text, languages.get(code)):
        old = text[edit.start : edit.end]
        assert script_of(old[0]) in ALPHABETS
        assert 1 <= len(edit.new) - len(old) <= 3
        assert unicodedata.normalize("NFC", edit.new).startswith(unicodedata.normalize("NFC", old)[0])


def test_look_alikes_go_both_ways_and_are_of_many_scripts():
    assert len(homoglyphs.scripts()) >= 30
    for code, text in TEXTS:
        for edit in perturbations.get("homoglyph")(text, languages.get(code)):
            old, new = (unicodedata.normalize("NFD", part) for part in (text[edit.start : edit.end], edit.new))
            assert old[0] in homoglyphs.twins(new[0]) and new[0] in homoglyphs.twins(old[0])
            assert old[1:] == new[1:]
            pair = {script_of(old[0]), script_of(new[0])}
            assert len(pair) == 1 or not JOINING & pair


@pytest.mark.parametrize(
    ("name", "code", "text", "some", "never"),
    [
        ("homoglyph", "en", "pay", {"раy", "pаy", "paу"} - {"раy"}, {"ｐay", "p4y"}),
        ("homoglyph", "fr", "é", {"е́"}, {"e"}),
        ("homoglyph", "de", "ä", {"ӓ"}, set()),
        ("homoglyph", "th", "ดี", set(), {"คี", "ตี"}),
        ("homoglyph", "ja", "タロ", {"夕ロ", "タ口"}, set()),
        ("invisible", "fa", "می", {"م\u200bی"}, {"م\u200cی", "م\u200dی"}),
        ("reorder", "en", "to", {"\u202eot\u202c"}, set()),
        ("reorder", "he", "עם", {"\u202dםע\u202c"}, set()),
        ("backspace", "en", "get", {"gt\bet", "gt\x7fet"}, {"\bget"}),
        ("tags", "en", "a", {"a\U000e0061", "a\U000e0020"}, set()),
        ("normal_form", "ko", "한", {"\u1112\u1161\u11ab"}, set()),
        ("normal_form", "fr", "10² é", {"10² e\u0301"}, {"102 é"}),
        ("normal_form", "en", "ℂ a", set(), {"C a"}),
        ("width", "ja", "ガスB2", {"ｶﾞスB2", "ガスＢ2", "ガスB２"}, set()),
        ("width", "ja", "ｶﾞｽＢ", {"ガｽＢ", "ｶﾞｽB"}, set()),
        ("spacing", "zh", "用AI写", {"用 AI写", "用\u3000AI写", "用AI 写"}, set()),
        ("spacing", "zh", "用 AI", {"用AI"}, set()),
        ("spacing", "th", "มากดี", {"มาก\u200bดี"}, {"มาก ดี"}),
        ("emoji", "en", "Good. It is 3.14", {"Good. 📌 It is 3.14", "Good. It is 3.14 📌"}, {"Good. It is 3. 📌14"}),
        ("emoji", "zh", "很好。", {"很好。🌐"}, set()),
        ("digits", "hi", "12 लोग १२", {"१२ लोग १२", "12 लोग 12"}, set()),
        ("digits", "hi", "12 people", set(), {"१२ people"}),
        ("digits", "fa", "حدود 12", {"حدود ۱۲"}, {"حدود ١٢"}),
        (
            "numbers",
            "en",
            "1,234,567 or 48000 in 2026",
            {"1234567 or 48000 in 2026", "1,234,567 or 48,000 in 2026"},
            set(),
        ),
        ("numbers", "en", "3.14159 id-48000 1,234 12,5000 A48000", set(), {"3.14159 id-48000 1234 12,5000 A48000"}),
        ("numbers", "de", "12.500 Euro", {"12500 Euro", "12\u202f500 Euro"}, set()),
        ("numbers", "en", "12.500 euros", set(), {"12500 euros"}),
        ("dates", "de", "am 20.11.2026.", {"am 2026-11-20."}, set()),
        ("dates", "en", "2026-11-20", {"11/20/2026"}, {"20/11/2026"}),
        ("dates", "en", "3/4/2026 99/99/2026 2026-02-31", set(), {"2026-03-04 99/99/2026 2026-02-31"}),
        ("dates", "fi", "2026-03-04", {"4.3.2026"}, set()),
        ("typography", "de", 'Er "sagt" es...', {'Er „sagt" es...', 'Er "sagt“ es...', 'Er "sagt" es…'}, set()),
        ("typography", "es", "¿Qué?", {"Qué?"}, set()),
        ("typography", "ar", "متى?", {"متى؟"}, set()),
        ("typography", "zh", "好,3,5", {"好，3,5"}, {"好,3，5"}),
        ("typography", "el", "πού;", set(), {"πού؛"}),
        ("script_variant", "sr", "Џак ЉУБАВ", {"Džak ЉУБАВ", "Џак LJUBAV"}, set()),
        ("script_variant", "sr-Latn", "Njegoš injekcija", {"Његош injekcija"}, {"Njegoš ињекција"}),
        ("script_variant", "zh", "問题后", {"问题后", "問題后"}, {"問题後"}),
        ("script_variant", "kk", "ИТ щи", {"İT щи"}, set()),
        ("script_variant", "uz-Cyrl", "Ер", {"Yer"}, set()),
        ("script_variant", "az", "İşıq", {"Ишыг"}, set()),
        ("script_variant", "ru", "Да", set(), {"Da"}),
    ],
)
def test_examples(name, code, text, some, never):
    found = {splice(text, [edit]) for edit in perturbations.get(name)(text, languages.get(code))}
    assert some <= found
    assert not (never | {text}) & found


DATED = [code for code in languages.codes() if perturbations.applicable("dates", languages.get(code))]


@pytest.mark.parametrize("code", DATED)
def test_a_date_written_in_a_language_is_read_back(code):
    days = perturbations.get("dates")
    for day in (date(2026, 1, 31), date(1999, 5, 5)):
        (there,) = days(day.isoformat(), languages.get(code))
        assert any(back.new == day.isoformat() for back in days(there.new, languages.get(code)))


def test_tables_of_scripts_lose_nothing():
    for code, word in [("sr", "чекајућиђакњегаљубавџеп"), ("az", "ҝөзәлһаваҹамаат")]:
        language = languages.get(code)
        assert variant(variant(word, language), language) == word
    assert codes() == {"az", "kk", "sr", "uz", "zh"}


def test_notation_is_known_for_nearly_every_language():
    # CLDR 41 has no Haitian Creole.
    assert {code for code in languages.codes() if not notation(languages.get(code)).date} <= {"ht"}
    assert {code for code in languages.codes() if not notation(languages.get(code)).group} <= {"fa", "ht"}
    assert notation(languages.get("nb")).date and notation(languages.get("xx")) == notation(languages.get("qq"))


def test_tables_are_made_from_the_files_of_unicode(tmp_path):
    confusables = [
        "# a comment",
        "0430 ;\t0061 ;\tMA\t# x",
        "FF41 ;\t0061 ;\tMA",
        "05D8 ;\t0076 ;\tMA",
        "0030 ;\t004F ;\tMA",
    ]
    assert list(unicode_tables.confusables(confusables)) == ["aа"]
    variants = [
        "U+4E7E\tkSimplifiedVariant\tU+5E72",
        "U+5E72\tkTraditionalVariant\tU+5E72 U+5E79<kLau",
        "U+4E00\tkZVariant\tU+4E01",
    ]
    assert list(unicode_tables.han_variants(variants)) == ["乾干", "干干", "幹干"]
    (tmp_path / "supplemental").mkdir()
    (tmp_path / "main").mkdir()
    (tmp_path / "supplemental" / "numberingSystems.xml").write_text(
        '<x><numberingSystem id="deva" digits="०१२३४५६७८९"/></x>', "utf-8"
    )
    (tmp_path / "main" / "hi.xml").write_text(
        "<ldml><numbers><otherNumberingSystems><native>deva</native></otherNumberingSystems>"
        '<symbols numberSystem="latn"><decimal>.</decimal><group>\u202f</group></symbols></numbers>'
        '<dates><calendars><calendar type="gregorian"><f><dateFormatItem id="yMd">d.M.y \'г\'.</dateFormatItem></f>'
        "</calendar></calendars></dates><delimiters><quotationStart>«</quotationStart><quotationEnd>»</quotationEnd>"
        "</delimiters></ldml>",
        "utf-8",
    )
    assert list(unicode_tables.notations(tmp_path)) == ["hi\t०१२३४५६७८९\t.\t \td.M.y\t«»"]


def test_tables_are_in_order():
    lines = (unicode_tables.FOLDER / "homoglyphs.txt").read_text("utf-8").splitlines()
    letters = "".join(lines)
    assert len(letters) == len(set(letters)) and all(len(line) > 1 for line in lines)
    pairs = (unicode_tables.FOLDER / "han_variants.txt").read_text("utf-8").splitlines()
    assert all(len(pair) == 2 for pair in pairs) and all(one < two for one, two in pairwise(pairs))
    assert "UNICODE, INC. LICENSE AGREEMENT" in (unicode_tables.FOLDER / "NOTICE.txt").read_text("utf-8")
