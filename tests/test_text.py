"""Graphemes, words, scripts, and splicing edits on the original text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes import languages
from probes.text import graphemes, intact, letters, script_of, scripts, splice, units, words
from probes.types import Edit
from tests.golden import texts

anything = st.text(st.characters(exclude_categories=())) | st.sampled_from([text for _, text in texts()])


def pieces(text, spans):
    return [text[start:end] for start, end in spans]


@given(anything)
def test_graphemes_tile_every_text(text):
    assert "".join(pieces(text, graphemes(text))) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("👩‍👩‍👧🇩🇪🇫🇷", ["👩‍👩‍👧", "🇩🇪", "🇫🇷"]),
        ("e\u0301a", ["e\u0301", "a"]),
        ("a\r\nb", ["a", "\r\n", "b"]),
        ("क्षत्रिय", ["क्ष", "त्रि", "य"]),
        ("한\u1112\u1161\u11ab", ["한", "\u1112\u1161\u11ab"]),
        ("\ud83dx", ["\ud83d", "x"]),
    ],
)
def test_graphemes_are_what_people_see(text, expected):
    assert pieces(text, graphemes(text)) == expected


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        ("en", "It isn't 3.14, O'Neil-Smith!", ["It", "isn't", "3.14", "O'Neil", "Smith"]),
        ("fr", "l'été à Paris", ["l'été", "à", "Paris"]),
        ("hi", "भारत एक देश है।", ["भारत", "एक", "देश", "है"]),
        ("fa", "می‌خواهد کتاب", ["می‌خواهد", "کتاب"]),
        ("ca", "col·lecció", ["col·lecció"]),
        ("zh", "今天iPhone。好", ["今", "天", "iPhone", "好"]),
        ("ja", "私は学校に行きました。テレビを見る", ["私は", "学校に", "行きました", "テレビを", "見る"]),
        ("th", "เด็กๆ กำลังเรียน", ["เด็ก", "ๆ", "กำ", "ลัง", "เรีย", "น"]),
        ("ko", "날씨가 좋네요.", ["날씨가", "좋네요"]),
        ("vi", "Tie\u0302\u0301ng Việt", ["Tie\u0302\u0301ng", "Việt"]),
    ],
)
def test_words(code, text, expected):
    assert pieces(text, words(text, languages.get(code))) == expected


@given(anything, st.sampled_from(languages.codes()))
def test_words_lie_on_grapheme_borders(text, code):
    borders = {0, *(end for _, end in graphemes(text))}
    language = languages.get(code)
    found = words(text, language)
    assert all(start in borders and end in borders and start < end for start, end in found)
    assert found == sorted(found)
    assert {edge for word in letters(text, language) for span in word for edge in span} <= borders


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("เกม", ["เก", "ม"]),
        ("มานะ", ["มา", "นะ"]),
        ("ក្មេង", ["ក្មេ", "ង"]),
        ("မြန်မာ", ["မြန်", "မာ"]),
        ("ಚೆನ್ನಾ", ["ಚೆ", "ನ್ನಾ"]),
    ],
)
def test_units_keep_a_syllable_together(text, expected):
    assert pieces(text, units(text, (0, len(text)))) == expected


def test_splice_makes_edits_on_the_original_and_nothing_else():
    text = "naïve 👩‍👩‍👧 cafe\u0301\r\n"
    edits = [Edit(0, 1, "N"), Edit(5, 5, "!"), Edit(6, 11, ""), Edit(15, 17, "E")]
    assert splice(text, edits) == splice(text, edits[::-1]) == "Naïve!  cafE\r\n"
    assert splice(text, []) is text


@pytest.mark.parametrize(
    "edits",
    [
        [Edit(0, 2, "x"), Edit(1, 3, "y")],
        [Edit(1, 1, "x"), Edit(1, 1, "y")],
        [Edit(0, 99, "x")],
        [Edit(-1, 0, "x")],
        [Edit(3, 2, "x")],
        [Edit(4, 5, "x")],
    ],
)
def test_splice_refuses_overlaps_and_cut_graphemes(edits):
    with pytest.raises(ValueError, match="Edit"):
        splice("cafe\u0301s", edits)


@pytest.mark.parametrize(
    ("text", "edit", "expected"),
    [
        ("cat", Edit(1, 2, "o"), True),
        ("cafe\u0301", Edit(4, 5, ""), False),
        ("cafe\u0301", Edit(0, 3, ""), True),
        ("cat", Edit(1, 1, "\u0301"), False),
        ("cat", Edit(1, 2, "\u200d"), False),
        ("cat", Edit(1, 1, "\u200b"), True),
        ("a\u1161", Edit(0, 1, "\u1100"), False),
        ("cat", Edit(2, 9, ""), False),
    ],
)
def test_intact_sees_cut_and_molten_graphemes(text, edit, expected):
    assert intact(text, edit) is expected


def test_scripts_counts_letters_by_script():
    assert scripts("Привет, мир! ok 好 がカ 123 e\u0301") == {
        **{"Cyrillic": 9, "Latin": 3, "Han": 1, "Hiragana": 1, "Katakana": 1},
    }
    assert [script_of(char) for char in "aя한ा1\u0301\ud800"] == [
        *("Latin", "Cyrillic", "Hangul", "Devanagari", "Common", "Inherited", "Unknown"),
    ]
