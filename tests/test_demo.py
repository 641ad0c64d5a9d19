"""The demonstration set: whole, balanced, and each sentence in the script and letters of its language."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from pathlib import Path

import pytest
import regex

EXAMPLES = Path(__file__).parent.parent / "examples"
ROWS = [json.loads(line) for line in (EXAMPLES / "demo.jsonl").read_text(encoding="utf-8").splitlines()]
LANGUAGES = sorted({row["lang"] for row in ROWS})
TOPICS = {"science/technology", "travel", "politics", "sports", "health", "entertainment", "geography"}
DENSE = {"zh", "ja", "ko", "th"}  # no spaces, or few letters a word: shorter in code points

SCRIPTS = {
    "ru": "Cyrillic", "bg": "Cyrillic", "uk": "Cyrillic", "el": "Greek", "he": "Hebrew",
    "ar": "Arabic", "fa": "Arabic", "ur": "Arabic", "hi": "Devanagari", "bn": "Bengali",
    "ta": "Tamil", "th": "Thai", "ko": "Hangul", "zh": "Han", "ja": "Han Hiragana Katakana",
}  # fmt: skip
# the letters beyond a-z that each Latin orthography writes; Vietnamese is checked once its tone marks are taken off
LATIN = {
    "en": "", "id": "", "sw": "", "de": "äöüß", "es": "áéíóúüñ", "fr": "àâæçèéêëîïôœùûüÿ",
    "it": "àèéìòù", "nl": "éëïöü", "pl": "ąćęłńóśźż", "pt": "áâãàçéêíóôõú", "tr": "çğıöşüâî",
    "vi": "ăâđêôơư",
}  # fmt: skip
# letters of a neighbour that shares the script: their presence betrays the wrong language or a foreign keyboard
FOREIGN = {
    "ru": "іїєґў", "uk": "ыэъё", "bg": "ыэёіїє", "ar": "پچژگکیےہٹڈڑ", "fa": "كيىةٹڈڑےہ", "ur": "كيىةه",
}  # fmt: skip


def letters(text: str) -> str:
    return "".join(regex.findall(r"\p{L}", text.lower()))


def untoned(text: str) -> str:
    """Vietnamese without its five tone marks, the letters themselves kept."""
    bare = regex.sub("[\u0300\u0301\u0303\u0309\u0323]", "", unicodedata.normalize("NFD", text))
    return unicodedata.normalize("NFC", bare)


def test_enough_languages_with_four_of_each_topic() -> None:
    assert len(LANGUAGES) >= 20
    counts = Counter((row["lang"], row["label"]) for row in ROWS)
    assert {label for _, label in counts} == TOPICS
    assert counts == {(lang, topic): 4 for lang in LANGUAGES for topic in TOPICS}


def test_ids_name_their_row_and_nothing_is_repeated() -> None:
    assert all(set(row) == {"id", "lang", "text", "label"} for row in ROWS)
    assert all(regex.fullmatch(r"demo-(\w\w)-(\w+)-[1-4]", row["id"]) for row in ROWS)
    assert [row["id"].split("-")[1:3] for row in ROWS] == [[row["lang"], row["label"].split("/")[0]] for row in ROWS]
    assert len({row["id"] for row in ROWS}) == len({row["text"] for row in ROWS}) == len(ROWS)


def test_sources_name_the_count_and_every_language() -> None:
    sources = (EXAMPLES / "SOURCES.md").read_text(encoding="utf-8")
    assert f"{len(ROWS)} sentences: {len(LANGUAGES)} languages" in sources
    listed = regex.search(r"\*\*Languages\.\*\*(.+?)\.\n", sources, regex.DOTALL)
    assert listed is not None
    assert sorted(regex.findall(r"\b[a-z]{2}\b", listed[1])) == LANGUAGES


@pytest.mark.parametrize("lang", LANGUAGES)
def test_sentences_are_clean_and_of_one_sentence_length(lang: str) -> None:
    low, high = (25, 120) if lang in DENSE else (50, 150)
    for row in (row for row in ROWS if row["lang"] == lang):
        text = row["text"]
        assert text == unicodedata.normalize("NFC", text).strip(), row["id"]
        assert not regex.search(r"\s\s|[\p{Cc}\p{Co}\p{Cn}\uFFFD]", text), row["id"]
        assert low <= len(text) <= high, (row["id"], len(text))
        # Thai ends a sentence without a mark
        assert lang == "th" or regex.search(r"[.。।۔]$", text), row["id"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_text_is_in_the_script_of_its_language(lang: str) -> None:
    inside = "".join(rf"\p{{Script={name}}}" for name in SCRIPTS.get(lang, "Latin").split())
    for row in (row for row in ROWS if row["lang"] == lang):
        strays = regex.sub(f"[{inside}ー]", "", letters(row["text"]))
        assert not strays, (row["id"], strays)


@pytest.mark.parametrize("lang", sorted(LATIN))
def test_latin_text_keeps_to_the_letters_of_its_orthography(lang: str) -> None:
    written = letters("".join(row["text"] for row in ROWS if row["lang"] == lang))
    if lang == "vi":
        written = untoned(written)
    allowed = "abcdefghijklmnopqrstuvwxyz" + unicodedata.normalize("NFC", LATIN[lang])
    assert not set(written) - set(allowed) - {"\u0307"}


@pytest.mark.parametrize("lang", sorted(FOREIGN))
def test_no_letter_of_a_neighbouring_language(lang: str) -> None:
    written = letters("".join(row["text"] for row in ROWS if row["lang"] == lang))
    assert not set(written) & set(FOREIGN[lang])


def test_every_language_is_covered_by_a_script_or_an_alphabet() -> None:
    assert set(LANGUAGES) == set(SCRIPTS) | set(LATIN)
    assert all(regex.search(r"[\p{Hiragana}\p{Katakana}]", row["text"]) for row in ROWS if row["lang"] == "ja")
