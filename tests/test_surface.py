"""Words and surface: function words that never negate, scanners, Latin letters, misspellings, files for nlpaug."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from probes import languages, perturbations
from probes.perturbations.function_word import function_words
from probes.perturbations.nlpaug import AUGMENTERS
from probes.registry import UnknownName
from probes.text import script_of, splice
from runtime import catalogue


def results(name, text, code):
    language = languages.get(code)
    return {splice(text, [edit]) for edit in perturbations.get(name)(text, language)}


# Words that negate, do without, restrict or compare.
NEGATE = {
    code: words.split()
    for code, _, words in (
        line.strip().partition(" ")
        for line in """
    af nie geen sonder maar
    ar لا لم لن ليس غير بدون لكن ما
    az deyil yox amma
    be не ні без але
    bg не ни без но
    bn না নয় নেই কিন্তু
    ca no ni sense però
    cs ne ani bez ale
    da ikke uden men
    de nicht kein ohne weder aber
    el δεν μη χωρίς αλλά
    en not no nor never without but than
    es no ni sin pero nunca
    et ei ilma kuid ega
    eu ez gabe baina
    fa نه بی بدون اما
    fi ei ilman mutta
    fr ne pas sans ni mais jamais
    gl non nin sen pero
    gu નહીં ન પણ
    he לא אין בלי אבל
    hi नहीं न ना मत बिना लेकिन
    hr ne ni bez ali a
    hu nem ne se sem nélkül de
    hy չի ոչ բայց
    id tidak bukan tanpa tetapi
    is ekki án en
    it non né senza ma
    ka არ ვერ მაგრამ
    kk емес жоқ бірақ
    kn ಇಲ್ಲ ಅಲ್ಲ ಆದರೆ
    ko 안 못 없이
    lt ne be bet
    lv ne bez bet
    mk не ни без но
    ml ഇല്ല അല്ല പക്ഷേ
    mn үгүй биш
    mr नाही न पण
    ms tidak bukan tanpa tetapi
    nb ikke uten men
    ne न छैन तर
    nl niet geen zonder maar
    pa ਨਹੀਂ ਨਾ ਪਰ
    pl nie ani bez ale
    pt não nem sem mas
    ro nu nici fără dar
    ru не ни без но
    sk ne nie ani bez ale
    sl ne niti brez a ampak
    sq nuk s' pa por
    sr не ни без али а ne ni bez ali a
    sv inte utan men
    sw si hapana bila lakini
    ta இல்லை ஆனால்
    te లేదు కాదు కానీ
    tl hindi wala huwag pero
    tr değil yok ama
    uk не ні без але
    ur نہیں نہ مت بغیر لیکن
    vi không chẳng chưa nhưng
""".strip().splitlines()
    )
}


@pytest.mark.parametrize("code", sorted(function_words()))
def test_no_function_word_negates(code):
    classes = function_words()[code]
    assert classes and code in languages.codes() and languages.get(code).spaces
    assert not classes.keys() & set(NEGATE[code])
    for word, others in classes.items():
        assert word == word.lower() and word not in others and all(word in classes[other] for other in others)
        assert {script_of(char) for char in word if char.isalpha()} <= {*languages.get(code).scripts}


@pytest.mark.parametrize(
    ("name", "code", "text", "some", "never"),
    [
        (
            "function_word",
            "en",
            "The end of it",
            {"A end of it", "end of it", "The end it"},
            {"The end", "the end of it"},
        ),
        ("function_word", "en", "not without", set(), {"not", "without"}),
        ("function_word", "ru", "Дом в лесу", {"Дом на лесу", "Дом лесу"}, set()),
        ("function_word", "en", "of", set(), {""}),
        ("ocr", "en", "barn", {"bam", "harn", "born", "barii"}, {"bårn", "ørn"}),
        ("ocr", "de", "Mädchen", {"Mödchen", "Mäclchen"}, {"Mȩdchen", "Mådchen"}),
        ("ocr", "fa", "باب", {"پاب", "تاب"}, set()),
        ("ocr", "ar", "باب", {"تاب", "ثاب"}, {"پاب"}),
        ("ocr", "hi", "भारत", {"मारत", "भारन"}, set()),
        ("ocr", "zh", "未来", {"末来", "未束"}, set()),
        ("ocr", "ja", "シート", {"ツート"}, set()),
        ("ocr", "ko", "가", {"카", "기"}, {"ㄱㅏ"}),
        ("ocr", "my", "ရ", {"၇"}, set()),
        ("transliteration", "ru", "Да, нет", {"Da, нет", "Да, net"}, set()),
        ("transliteration", "zh", "今天 ok", {"jin天 ok", "今tian ok"}, set()),
        ("transliteration", "ja", "日本のカメラ", set(), {"RiBen"}),
        ("transliteration", "hi", "नमस्ते hello", {"nmste hello"}, set()),
        ("word_repeat", "en", "to be", {"to to be", "to be be"}, set()),
        ("word_repeat", "zh", "你好", {"你你好", "你好好"}, set()),
    ],
)
def test_examples(name, code, text, some, never):
    found = results(name, text, code)
    assert some <= found
    assert not (never | {text}) & found


def test_what_applies():
    for name, yes, no in (
        ("ocr", "en zh am ko my yo", "ht-Zzzz"),
        ("transliteration", "ru zh hi am", "en vi tr"),
        ("function_word", "en ru hi vi", "zh th ja yo"),
    ):
        assert all(perturbations.applicable(name, languages.get(code)) for code in yes.split())
        if name != "ocr":
            assert not any(perturbations.applicable(name, languages.get(code)) for code in no.split())


def test_misspellings_of_a_file(tmp_path):
    path = tmp_path / "mine.tsv"
    path.write_text("# real ones\ntheir\tthier\ntheir\tthere\nвремя\tвремья\tru\nder\tdär\tde\n\n", "utf-8")
    name = f"misspelling:{path}"
    assert results(name, "Their time", "en") == {"Thier time", "There time"}
    assert results(name, "Время", "ru") == {"Времья"}
    assert results(name, "der Tag", "de") == {"där Tag"} and not results(name, "der", "en")


@pytest.mark.parametrize("line", ["one", "a\tb\tc\td", "a\t", ""])
def test_a_line_that_is_no_misspelling_is_refused_by_number(tmp_path, line):
    path = tmp_path / "bad.tsv"
    path.write_text(line + "\n", "utf-8")
    with pytest.raises(ValueError, match=r"line 1|no misspellings") as caught:
        perturbations.get(f"misspelling:{path}")
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("augmenter", "content", "text", "found"),
    [
        ("ReservedAug", json.dumps([["дом", "хата"]]), "дом тут", "хата тут"),
        ("SpellingAug", "время времья\n", "время тут", "времья тут"),
        ("KeyboardAug", json.dumps({"в": ["а"]}), "время", "аремя"),
        ("OcrAug", json.dumps({"р": ["п"]}), "время", "впемя"),
    ],
)
def test_nlpaug_reads_data_of_the_users(tmp_path, augmenter, content, text, found):
    pytest.importorskip("nlpaug")
    path = tmp_path / "mine.json"
    path.write_text(content, "utf-8")
    assert results(f"nlpaug:{augmenter}:{path}", text, "ru") == {found}


def test_nlpaug_refuses_what_it_cannot_use(tmp_path):
    pytest.importorskip("nlpaug")
    bad = tmp_path / "bad.json"
    bad.write_text("{", "utf-8")
    with pytest.raises(ValueError, match=r"cannot use .*bad.json as groups.json"):
        perturbations.get(f"nlpaug:ReservedAug:{bad}")
    with pytest.raises(ValueError, match="needs data of yours: nlpaug:TfIdfAug:FOLDER"):
        perturbations.get("nlpaug:TfIdfAug")
    with pytest.raises(UnknownName):
        perturbations.get("nlpaug:SplitAug:mine.json")


def test_nlpaug_types_in_every_layout_it_has():
    pytest.importorskip("nlpaug")
    for code, text in (("uk", "яблуко"), ("th", "กาศ"), ("he", "ילדים"), ("de", "Straßenbahn")):
        for result in results("nlpaug:KeyboardAug", text, code):
            assert all(char.isalpha() for char in result), result
        assert results("nlpaug:KeyboardAug", text, code), code


def test_the_augmenters_are_listed_with_what_they_leave_alone():
    rows = {row["name"]: row for row in catalogue.rows("nlpaug")}
    assert rows.keys() == {f"nlpaug:{name}" for name in AUGMENTERS} and len(rows) == 8
    assert all(row["does"] and row["leaves alone"] for row in rows.values())
    assert rows["nlpaug:ReservedAug"]["data"] == "nlpaug:ReservedAug:groups.json"
    assert "th" in rows["nlpaug:KeyboardAug"]["languages"] and rows["nlpaug:SpellingAug"]["languages"] == ["en"]


def test_the_misspellings_of_nlpaug_are_the_same_in_every_process():
    pytest.importorskip("nlpaug")
    code = (
        "from probes import languages, perturbations\n"
        "text = 'their until because which business beginning really'\n"
        "print(list(perturbations.get('nlpaug:SpellingAug')(text, languages.get('en'))))"
    )
    said = [
        subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, stdout=-1)
        for seed in ("1", "2", "3")
    ]
    first, *others = [process.communicate()[0] for process in said]
    assert b"Edit(" in first and others == [first, first]


def test_the_files_of_nlpaug_are_those_of_the_user(tmp_path):
    pytest.importorskip("nlpaug")
    path = tmp_path / "mine.txt"
    path.write_text("время времья\n", "utf-8")
    assert perturbations.get(f"nlpaug:SpellingAug:{path}").files == (path,)


def test_numbers_are_neither_telephone_numbers_nor_endless():
    assert results("numbers", "Ruf 044 123 456 an", "de") == set()
    assert results("numbers", "9" * 5000, "de") == set()
    assert results("numbers", "1234567", "de") == {"1.234.567", "1\u202f234\u202f567"}
    assert results("numbers", "12.345.678", "de") == {"12345678", "12\u202f345\u202f678"}
