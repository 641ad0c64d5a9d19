"""Keyboard layouts: those there are, their geometry, what a slip makes of a letter, and how the table is made."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest

from probes import languages, noise, perturbations
from probes.scripts.keyboard_tables import Symbols
from probes.scripts.keyboards import DEAD, layout, names, retyped, typed_letters
from probes.scripts.slips import slips
from probes.text import graphemes, script_of, splice
from probes.types import Edit
from tests.golden import texts

TYPED = [code for code in languages.codes() if languages.get(code).keyboard]


def test_there_are_layouts_enough_and_every_language_names_one():
    assert len(names()) >= 60
    assert len({title for title in (layout(name).title for name in names())}) >= 60
    for code in TYPED:
        for name in languages.get(code).keyboard:
            assert name in names(), f"{code}.py names a layout that is not in keyboards.tsv: {name}"


@pytest.mark.parametrize("code", TYPED)
def test_the_layouts_of_a_language_type_its_alphabet(code):
    language = languages.get(code)
    text = next(text for other, text in texts() if other == code)
    written = {char for char in unicodedata.normalize("NFC", text) if char.isalpha() and script_of(char) != "Han"}
    maps = [layout(name) for name in language.keyboard]
    lost = {char for char in written if not slips(char, language) and not any(map_.strokes(char) for map_ in maps)}
    # Vietnamese has its marked letters from an input method; the layout ng(yoruba) has no tone marks.
    allowed = {"vi": 0.6, "yo": 0.5}.get(code, 0.15)
    assert len(lost) <= allowed * len(written), lost
    assert len(typed_letters(language)) >= 20


@pytest.mark.parametrize(
    ("name", "key", "beside", "apart"),
    [
        ("us", "g", "ftyhbv", "rd"),
        ("us", "q", "wa12", "s"),
        ("fr", "a", "zqé", "w"),
        ("de", "z", "tugh", "y"),
        ("ru", "а", "векпсм", "у"),
        ("in", "क", "रतगदस", "प"),
        ("th", "ก", "หดำพปแ", "ฟ"),
        ("ara", "ب", "يلقفؤر", "س"),
        ("il", "ש", "דז", "ג"),
        ("kr", "ㄱ", "ㄷㅅㄹㅇ", "ㅎ"),
        ("tr", "ı", "uokj", "i"),
        ("tr", "i", "şüğ", "ı"),
        ("gr", "α", "σςζ", "δ"),
        ("ge", "ა", "სქზ", "დ"),
        ("am(phonetic)", "ա", "սքզ", "դ"),
        ("et", "ሀ", "ገጀየበነ", "ከ"),
        ("kh", "ក", "ល្មិ", "ត"),
        ("la", "ດ", "ກເພະແອ", "ຫ"),
        ("mm", "က", "ပင", "မ"),
        ("ua", "і", "фвцуяч", "с"),
        ("bg", "а", "яоеийъ", "ш"),
        ("rs", "џ", "жцсд", "ф"),
        ("mn", "ө", "бажэёс", "х"),
        ("kz", "ә", "і", "а"),
        ("us(dvorak)", "h", "tdgcmb", "u"),
    ],
)
def test_neighbours_follow_from_the_geometry_of_the_keys(name, key, beside, apart):
    near = layout(name).neighbours(key)
    assert set(beside) <= set(near), near
    assert apart not in near
    # A letter that is on two keys has the neighbours of the first.
    once = [other for other in near if sum(other in cells for cells in layout(name).keys.values()) == 1]
    assert all(key in layout(name).neighbours(other) for other in once)
    assert len(near) <= 8


@pytest.mark.parametrize(
    ("code", "unit", "some", "never"),
    [
        ("en", "Q", {"W", "A", "q"}, {"w", "1"}),
        ("ko", "각", {"갇", "객", "삭", "깍", "가"}, {"ㄱ", "ㅏ"}),
        ("ko", "와", {"오", "아", "왜", "놔"}, set()),
        ("ko", "값", {"갑", "갓"}, set()),
        ("tr", "İ", {"Ş", "i"}, {"I"}),
        ("hi", "कि", {"रि", "कु", "खि"}, {"क", "ि"}),
        ("th", "กั", {"ดั", "กี"}, {"เั", "กัั"}),
        ("ja", "カ", {"ス", "ン"}, {"い"}),
        ("ja", "が", {"か", "ず"}, {"ガ"}),
        ("fr", "E\u0301", {"A", "Z"}, {"e"}),
        ("fr", "ê", {"e", "ë", "^r", "^"}, {"r", "ŕ"}),
        ("es", "é", {"e", "´r", "´"}, {"ŕ"}),
        ("pl", "ą", {"a", "ś", "ż"}, {"s", "æ"}),
        ("pl", "o", {"ó", "p"}, {"œ"}),
        ("de", "a", {"s", "q", "A"}, {"æ", "ſ"}),
        ("el", "ή", {"η", "ύ", "´ξ", "´"}, {"γ"}),
        ("he", "שָׁ", {"דָׁ"}, {"שָָ"}),
        ("ar", "ل", {"لا", "ا", "ب"}, {"ﻻ"}),
        ("am", "ሁ", {"ጉ", "ሂ"}, {"ሀ"}),
        ("sr", "š", {"đ", "p"}, {"п"}),
        ("vi", "t", {"r", "y"}, {"ê"}),
        ("zh", "好", set(), set()),
    ],
)
def test_slips_keep_script_and_role(code, unit, some, never):
    found = set(slips(unit, languages.get(code)))
    assert some <= found
    assert not (never | {unit}) & found


@pytest.mark.parametrize(("code", "text"), texts(), ids=lambda value: value if len(value) < 4 else "")
def test_slips_leave_well_formed_text(code, text):
    for edit in perturbations.get("keyboard")(text, languages.get(code)):
        result = splice(text, [edit])
        assert len(graphemes(edit.new)) <= len(graphemes(text[edit.start : edit.end])) + 1, edit
        assert not result.endswith(DEAD)
        marks = [part for part in unicodedata.normalize("NFD", edit.new) if unicodedata.category(part) == "Mn"]
        assert len(marks) == len(set(marks)) or len(edit.new) > 8, edit


def test_another_layout_by_its_name():
    bepo = {edit.new for edit in perturbations.get("keyboard:fr(bepo)")("été", languages.get("fr"))}
    assert {"b", "p"} <= bepo
    assert perturbations.describe("keyboard:us(dvorak)") == "A finger misses a key of the layout English (Dvorak)."
    with pytest.raises(KeyError, match="did you mean 'fr\\(bepo\\)'"):
        perturbations.get("keyboard:fr(bepoo)")


@pytest.mark.parametrize(
    ("name", "code", "word", "other"),
    [
        ("wrong_layout", "ru", "привет", "ghbdtn"),
        ("wrong_layout", "ru", "Люблю", "K.,k."),
        ("wrong_layout", "ko", "안녕", "dkssud"),
        ("wrong_layout", "he", "שלום", "akuo"),
        ("wrong_layout", "el", "καλός", "kal;ow"),
        ("wrong_layout", "ka", "კარგი", "kargi"),
        ("wrong_layout", "de", "zwölf", "yw;lf"),
        ("wrong_layout", "am", "ሰላም", "slam"),
        ("wrong_layout:ru", "en", "hello", "руддщ"),
        ("wrong_layout:gr", "en", "you", "υοθ"),
    ],
)
def test_a_word_typed_on_the_wrong_layout(name, code, word, other):
    assert [edit.new for edit in perturbations.get(name)(word, languages.get(code))] == [other]


def test_every_word_typed_there_and_back():
    for code, text in texts():
        for name in languages.get(code).keyboard:
            here, there = layout(name), layout("us")
            for word in text.split():
                units = tuple(word[first:last] for first, last in graphemes(word))
                typed = retyped(word, units, here, there)
                if (
                    typed
                    and script_of(word[0]) not in ("Latin", "Hangul", "Ethiopic", "Greek")
                    and len(word) == len(typed)
                ):
                    assert retyped(typed, tuple(typed), there, here) == unicodedata.normalize("NFC", word), (code, word)


@pytest.mark.parametrize("name", ["keyboard", "wrong_layout"])
def test_nothing_changes_at_strength_zero(name):
    for code, text in texts():
        assert noise.perturb(text, languages.get(code), [name], 0, np.random.default_rng(0)) == text


SYMBOLS = """
default partial alphanumeric_keys xkb_symbols "basic" {
    include "base(letters)+base(more):1"
    name[Group1]="Test";  // a comment with "quotes"
    key <AD01> { type[group1]="FOUR_LEVEL", [ NoSymbol, any, aogonek ] };
    key <LatY> { symbols[Group1]=[ dead_acute, U0416 ] };
    key <AC12> { [ 0x1000431, deprecated_a ], [ x, X ] };
};
xkb_symbols "other" { include "zz" name[Group1]="Other"; replace key <AD01> { [ a ] }; };
"""
LETTERS = "".join(f"key <AC{i:02}> {{ [ {a}, {a.upper()} ] }};" for i, a in enumerate("asdfghjkl", 1))
KEYSYMS = """
#define XK_aogonek                       0x01b1  /* U+0105 LATIN SMALL LETTER A WITH OGONEK */
#define XK_Greek_alpha                   0x07e1  /* U+03B1 GREEK SMALL LETTER ALPHA */
#define XK_deprecated_a                  0x07e1  /* deprecated */
"""


def test_the_table_is_read_from_symbols_files(tmp_path):
    (tmp_path / "zz").write_text(SYMBOLS, "utf-8")
    letters = f'xkb_symbols "letters" {{ key <AD01> {{ [ q, Q ] }}; {LETTERS} }};'
    (tmp_path / "base").write_text(letters + '\nxkb_symbols "more" { key <AD02> { [w] }; };', "utf-8")
    (tmp_path / "keysymdef.h").write_text(KEYSYMS, "utf-8")
    symbols = Symbols(tmp_path, tmp_path / "keysymdef.h")
    assert symbols.row("zz").split("\t") == [
        *("zz", "Test", "", "qw   ◌\u0301", "asdfghjkl  б", "", "", "Q    Ж", "ASDFGHJKL  α", "", "", "ą"),
    ]
    assert symbols.row("zz(other)").startswith("zz(other)\tOther\t\taw")
    assert symbols.row("base(more)") == "", "one letter is no layout"
    with pytest.raises(KeyError, match="no section 'none'"):
        symbols.row("zz(none)")


def test_no_slip_leaves_a_sign_that_stacks_nothing_or_a_vowel_without_its_letter():
    burmese, lao = languages.get("my"), languages.get("lo")
    after = [splice("သည်", [edit]) for edit in perturbations.get("keyboard")("သည်", burmese)]
    assert after and not any("\u1039" in text for text in after), "the killer's key has the stacker beside it"
    assert [edit for edit in perturbations.get("drop")("ໝາກ", lao) if edit.start == 0] == [Edit(0, 2, "")]
