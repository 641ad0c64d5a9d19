"""Sources of synonyms: thesauri in every encoding, wordnets in three forms, what is refused, what a report says."""

from __future__ import annotations

import gzip
import hashlib
import json
import lzma
import os
from pathlib import Path

import jsonschema
import pytest

from probes import languages, perturbations, synonyms
from probes.battery import parse, run
from probes.data import DataError
from probes.registry import UnknownName
from probes.report import Report
from probes.steps import BatteryError
from probes.synonyms import mythes
from probes.synonyms.meanings import MOST, Meaning, Ranked
from probes.synonyms.sources import NAMES, source
from probes.text import splice
from probes.types import Example, Item
from runtime import catalogue
from tests.fakes import KeywordClassifier


def results(name: str, text: str, lang: str) -> set[str]:
    return {splice(text, [edit]) for edit in perturbations.get(name)(text, languages.get(lang))}


def thesaurus(folder: Path, lang: str, encoding: str, *lines: str, codec: str = "") -> Path:
    path = folder / f"th_{lang}_v2.dat"
    path.write_bytes("\n".join((encoding, *lines, "")).encode(codec or encoding))
    return path


@pytest.mark.parametrize(
    ("lang", "encoding", "codec", "word", "other"),
    [
        ("de_DE", "UTF-8", "utf-8", "ärztin", "medizinerin"),
        ("ru_RU", "UTF-8", "utf-8-sig", "врач", "доктор"),
        ("ru_RU", "KOI8-R", "koi8-r", "врач", "доктор"),
        ("uk_UA", "KOI8-U", "koi8-u", "ліки", "зілля"),
        ("bg_BG", "microsoft-cp1251", "cp1251", "лекар", "доктор"),
        ("es_ES", "ISO8859-1", "latin-1", "médico", "doctor"),
        ("pl_PL", "ISO8859-2", "iso8859-2", "mądry", "roztropny"),
        ("tr_TR", "ISO8859-9", "iso8859-9", "ışık", "aydınlık"),
        ("el_GR", "ISO8859-7", "iso8859-7", "σπίτι", "οικία"),
        ("fr_FR", "ISO8859-15", "iso8859-15", "cœur", "âme"),
        ("sv_SE", "ISO-8859-1", "latin-1", "läkare", "doktor"),
    ],
)
def test_a_thesaurus_in_its_own_encoding(tmp_path, lang, encoding, codec, word, other):
    path = thesaurus(tmp_path, lang, encoding, f"{word}|1", f"(noun)|{other}|{word}", codec=codec)
    code = lang[:2]
    for name in (f"synonym:mythes:{path}", f"synonym:mythes:{tmp_path}"):
        assert results(name, word, code) == {other}
        capital = word[0].translate({ord("ı"): "I"}).upper() + word[1:]
        assert results(name, capital, code) == {other[0].upper() + other[1:]}, "capitals stay"
    assert perturbations.get(f"synonym:mythes:{path}").codes == {code}


NOTES = """UTF-8
good|3
(adj)|fine|well (archaic)|bad (antonym)|sound (similar term)|thing (generic term)|kin (related term)|(very) nice
(adj)|fine|all right|behänd(e)|etc. ...|a b c d|good
(noun)|commodity|ware
hot|1
(antonym)|cold
warm up|1
-|heat
bon|1
|hea (Antï¿½nimo)|mal (pojęcie nadrzędne)|mot (vulg.)|ok"""


def test_notes_say_what_is_a_synonym(tmp_path):
    thesaurus(tmp_path, "en_US", *NOTES.split("\n"))
    found = source(f"mythes:{tmp_path}").of("en")
    assert found["good"] == ("fine", "well", "nice", "all right"), "the one in two meanings first, then single words"
    assert "hot" not in found and "warm up" not in found, "antonyms, and what is no single word"
    assert found["bon"] == ("ok",) and dict(found) == {"good": found["good"], "bon": ("ok",)} and len(found) == 2
    assert "nothing" not in found and found.get("nothing") is None


def test_a_word_counts_as_what_it_is_in_most_meanings_and_has_few_synonyms():
    rows = [("run", Meaning("v", ("run", f"go{n}", "flow"))) for n in range(20)] + [("run", Meaning("n", ("race",)))]
    found = Ranked(rows, lambda meaning: meaning, languages.get("en"))["run"]
    assert found[0] == "flow" and len(found) == MOST and "race" not in found


def test_a_word_in_small_letters_never_becomes_a_name(tmp_path):
    thesaurus(tmp_path, "de_DE", "UTF-8", "gut|1", "-|Material|brauchbar")
    assert results(f"synonym:mythes:{tmp_path}", "gut", "de") == {"brauchbar"}
    assert results(f"synonym:mythes:{tmp_path}", "Gut", "de") == {"Material", "Brauchbar"}


def test_one_thesaurus_of_several_countries_counts_once(tmp_path):
    path = thesaurus(tmp_path, "es_ES", "UTF-8", "casa|1", "-|hogar")
    (tmp_path / "th_es_MX_v2.dat").symlink_to(path)
    (tmp_path / "th_es_AR_v2.dat").symlink_to(tmp_path / "nowhere")
    assert source(f"mythes:{tmp_path}").paths == (path,)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "line 1: an encoding such as"),
        (b"house|1\n-|home\n", "line 1: an encoding such as UTF-8 or ISO8859-1 expected, not 'house|1'"),
        (b"hex\nhouse|1\n-|home\n", "line 1: an encoding"),
        (b"UTF-8\nhouse|1\n-|h\xe4me\n", "line 3: not UTF-8, as its first line says"),
        (b"UTF-8\nhouse|one\n-|home\n", "line 2: word|number of its meanings expected, not 'house|one'"),
        (b"UTF-8\nhouse|1\n-|home\n-|lodge|hut\n", "line 4: word|number"),
        (b"UTF-8\nhouse|3\n-|home\n", "line 2: 'house' has 1 of its 3 meanings; cut short?"),
    ],
)
def test_a_broken_thesaurus_is_refused_by_file_and_line(tmp_path, content, said):
    path = tmp_path / "th_en_US_v2.dat"
    path.write_bytes(content)
    with pytest.raises(BatteryError) as caught:
        parse({"steps": [{"name": "s", "perturbations": [f"synonym:mythes:{path}"]}]})
    assert f"{path}, {said}" in str(caught.value)


TSV = (
    "synset\tlemmas_omw\tlemmas_wiktionary\n00001-n\tlääkäri\ttohtori|lekuri\n00002-n\ttohtori|lääkäri\t\n"
    "00003-v\ttohtori|x\n"
)
TAB = (
    "# FinnWordNet\tfin\thttp://example.org\tCC BY 3.0\n00001-n\tlemma\tlääkäri\n00001-n\tfin:lemma\ttohtori\n"
    "00001-n\tfin:def\t0\tei sana\n00001-n\tlemma\tlekuri\n00002-n\tlemma\ttohtori\n00002-n\tlemma\tlääkäri\n"
)
LMF = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE LexicalResource SYSTEM "http://globalwordnet.github.io/schemas/WN-LMF-1.1.dtd">
<LexicalResource><Lexicon id="omw-fi" label="a &gt; b" language="fi">
{entries}
<Synset id="s1" ili="i1" partOfSpeech="n"/></Lexicon>
<Lexicon id="omw-sv" language="sv">
<LexicalEntry id="v1"><Lemma writtenForm="hus" partOfSpeech="n"/><Sense id="n1" synset="s1"/></LexicalEntry>
<LexicalEntry id="v2"><Lemma writtenForm="villa" partOfSpeech="n"/><Sense id="n2" synset="s1"/></LexicalEntry>
</Lexicon></LexicalResource>"""
ENTRY = '<LexicalEntry id="{w}"><Lemma writtenForm="{w}" partOfSpeech="n"/>{senses}</LexicalEntry>'
FINNISH = [("lääkäri", ("s1", "s2")), ("tohtori", ("s1", "s2")), ("lekuri", ("s1",))]
XML = LMF.format(
    entries="".join(
        ENTRY.format(w=word, senses="".join(f'<Sense id="{word}{s}" synset="{s}"/>' for s in senses))
        for word, senses in FINNISH
    )
)


@pytest.mark.parametrize(
    ("file", "content"), [("fi.tsv", TSV), ("wn-data-fin.tab", TAB), ("omw-fi.xml", XML), ("sub/fi.tsv", TSV)]
)
@pytest.mark.parametrize(("ending", "pack"), [("", bytes), (".gz", gzip.compress), (".xz", lzma.compress)])
def test_a_wordnet_in_each_form(tmp_path, file, content, ending, pack):
    path = tmp_path / f"{file}{ending}"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(pack(content.encode()))
    for where in (path, tmp_path):
        found = source(f"wordnet:{where}")
        assert found.of("fi")["lääkäri"] == ("tohtori", "lekuri"), "the one in two synsets first"
        assert found.of("fi")["lekuri"] == ("lääkäri", "tohtori") and found.of("de") == {}
        assert results(f"synonym:wordnet:{where}", "Lääkäri", "fi") == {"Tohtori", "Lekuri"}
    assert ("sv" in found.codes) == ("xml" in file) and (found.of("sv").get("hus") or ("villa",)) == ("villa",)


def test_words_of_texts_without_spaces(tmp_path):
    (tmp_path / "wn-data-cmn.tab").write_text("# COW\tcmn\turl\tfree\n1-n\tlemma\t学校\n1-n\tlemma\t学堂\n", "utf-8")
    assert results(f"synonym:wordnet:{tmp_path}", "去学校吧", "zh-Hant") == {"去学堂吧"}


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("fi.tsv", b"1-n\tsana\n", "the first line must name a column 'lemmas'"),
        ("fi.tsv", b"synset\tlemmas\n1-n\tl\xe4\xe4k\xe4ri\n", "line 2: not UTF-8"),
        ("fi.tsv.xz", b"plain", "Input format not supported"),
        ("fi.tsv.gz", gzip.compress(b"synset\tlemmas\n1-n\ta|b\n" * 999, mtime=0)[:-20], "end-of-stream"),
        ("wn-data-fin.tab", b"# w\tfin\tu\tl\n1-n\tsana\n", "line 2: offset-pos, tab, kind, tab, word expected"),
        ("wn.xml", b"<LexicalResource>\n<Lexicon", "line 2: not WN-LMF"),
        ("wn.xml", b"<html/>", "there is no Lexicon in it"),
        ("wn.xml", b'<!DOCTYPE a [\n<!ENTITY b "bbbb">]>\n<a>&b;</a>', "line 2: an entity 'b' is declared"),
        ("words.txt", b"sana", "there is no wordnet"),
    ],
)
def test_a_broken_wordnet_is_refused_by_file_and_line(tmp_path, file, content, said):
    (tmp_path / file).write_bytes(content)
    with pytest.raises(DataError) as caught:
        source(f"wordnet:{tmp_path / file}")
    assert str(tmp_path / file) in str(caught.value) and said in str(caught.value)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mythes:no/such", "there is no file or folder no/such"),
        ("wordnet", "needs a wordnet of yours"),
        ("wordnet:no.tsv", "there is no file or folder no.tsv"),
        ("embedding", "training.neighbours:DIR"),
        ("mine.json", "there is no file or folder mine.json; there are synonym:own"),
        ("mythes:tests", "there is no thesaurus th_XX.dat"),
        ("tests", "there is no XX.json or XX.json.gz"),
    ],
)
def test_a_source_that_is_not_there_is_said(name, said):
    with pytest.raises(BatteryError) as caught:
        parse({"steps": [{"name": "s", "perturbations": [f"synonym:{name}"]}]})
    assert said in str(caught.value)


def test_a_file_of_any_family_that_is_not_there_is_said():
    with pytest.raises(UnknownName, match=r"misspelling:no.tsv: no.tsv cannot be read"):
        perturbations.get("misspelling:no.tsv")


@pytest.mark.parametrize("name", ["mythes", "mythes:/etc", "wordnet:/etc", "own", "/etc/passwd", "http://a.example/x"])
def test_a_request_names_no_source(name):
    with pytest.raises(BatteryError, match="not taken from here"):
        parse({"steps": [{"name": "s", "perturbations": [f"synonym:{name}"]}]}, plugins=False)


def test_a_file_that_changes_is_read_anew(tmp_path):
    path = tmp_path / "mine.json"
    for number, other in enumerate(("talo", "maja"), 1):
        path.write_text(json.dumps({"koti": [other]}), "utf-8")
        os.utime(path, ns=(number * 10**9, number * 10**9))
        assert results(f"synonym:{path}", "koti", "fi") == {other}
    assert perturbations.get(f"synonym:{path}") is perturbations.get(f"synonym:{path}"), "opened once"


def test_a_report_says_which_file_and_a_language_without_it_is_not_measured(tmp_path):
    path = thesaurus(tmp_path, "sv_SE", "ISO8859-1", "goal|1", "-|poäng")
    name = f"synonym:mythes:{tmp_path}"
    classifier = KeywordClassifier({"health": ["doctor"], "sports": ["goal"]})
    examples = [Example(lang, Item("a goal here"), lang) for lang in ("sv", "fi")]
    battery = parse({"steps": [{"name": "s", "perturbations": [name], "strength": 1.0}]})
    report = run(battery, classifier, examples)
    assert {o.lang: o.status for o in report.outcomes} == {"sv": "fooled", "fi": "not_applicable"}
    assert report.provenance["files"] == {name: {str(path): hashlib.sha256(path.read_bytes()).hexdigest()}}
    schema = json.loads(Path("probes/report.schema.json").read_text("utf-8"))
    jsonschema.validate(json.loads(report.to_json()), schema)
    assert Report.from_json(report.to_json()).to_json() == report.to_json()
    plain = parse({"steps": [{"name": "s", "perturbations": ["synonym"]}]})
    assert "files" not in run(plain, classifier, examples).provenance


def test_sources_are_listed_as_what_they_are():
    rows = {row["name"]: row for row in catalogue.rows("synonyms")}
    assert rows.keys() == NAMES.keys() and set(rows["synonym:own"]["languages"]) == synonyms.codes()
    assert "embedding space" in rows["training.neighbours:DIR"]["is"] and not rows["synonym:FILE"]["languages"]
    assert catalogue.find("synonym:wordnet:PATH")[0] == "synonyms"
    assert results("synonym:own", "BIG Doctor", "en") == results("synonym", "BIG Doctor", "en")


# A word of a few small packages: in ISO 8859-1 and -2, in UTF-8, and in UTF-8 behind a byte order mark.
REAL = {"es": ("médico", "doctor"), "pl": ("lekarz", "medyk"), "ru": ("врач", "доктор"), "sv": ("läkare", "doktor")}


@pytest.mark.parametrize("code", REAL)
def test_thesauri_of_debian(code):
    if not mythes.FOLDER.is_dir() or code not in (found := source("mythes")).codes:
        pytest.skip(f"Debian's package mythes-{code} is not installed")
    word, other = REAL[code]
    assert other in found.of(code)[word]
