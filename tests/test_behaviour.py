"""Behavioural tests: templates that agree, cases drawn alike, verdicts worked out by hand, data that is whole."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from probes import behaviour, languages
from probes.behaviour import LabelError, SuiteError, behave, load, parse_labels
from probes.behaviour.run import draw
from probes.behaviour.suite import FOLDER
from probes.behaviour.tasks import TASKS, align
from probes.behaviour.templates import Filling, TemplateError, check
from tests.fakes import KeywordClassifier

SUITE = load()
LEXICON = {
    "thing": [{"it": "la película", "g": "f"}, {"it": "el libro", "g": "m"}],
    "good": [{"m": "bueno", "f": "buena"}, {"m": "lindo", "f": "linda"}],
    "name": [{"it": "Ana", "g": "f"}, {"it": "Luis", "g": "m"}, {"it": "Eva", "g": "f"}],
    "praise": [{"it": "{thing} es {good[thing.g]}."}, {"it": "{thing} fue {good[thing.g]}."}],
}


def filling(seed: int = 0, lang: str = "es", lexicon=LEXICON) -> Filling:
    return Filling(lexicon, languages.get(lang), np.random.default_rng(seed))


def test_forms_follow_the_features_of_other_words():
    said = {filling(seed).text("{thing} es {good[thing.g]}.") for seed in range(20)}
    assert said == {"La película es buena.", "La película es linda.", "El libro es bueno.", "El libro es lindo."}
    chosen = {filling(seed).text("{name} {name.g|m llegó solo|f llegó sola}") for seed in range(30)}
    assert chosen == {"Ana llegó sola", "Eva llegó sola", "Luis llegó solo"}


def test_numbered_slots_differ_and_are_handed_down():
    for seed in range(10):
        first, second = filling(seed).text("{praise1} {praise2}").split(". ")
        assert first.split()[1] != second.split()[1] and first[0].isupper() and second[0].isupper()
        found = filling(seed)
        assert found.text("{name1}, {name2}").split(", ") == [found.text("{name1}"), found.text("{name2}")]
        assert found.text("{name1}") != found.text("{name2}")


def test_what_is_varied_changes_and_the_rest_stays():
    for seed in range(20):
        one = filling(seed)
        before = one.text("{name1}: {praise}")
        after = one.varied("name").text("{name1}: {praise}")
        assert before != after and before.split(": ")[1] == after.split(": ")[1]


def test_capitals_follow_the_language():
    lexicon = {"it": [{"it": "iyi."}], "lion": [{"it": "ilaç"}]}
    assert filling(lang="tr", lexicon=lexicon).text("{lion} {it}") == "İlaç İyi."
    assert filling(lang="zh", lexicon=lexicon).text("{lion}") == "ilaç"


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{thing.acc}", "no form or feature 'acc'"),
        ("{name.g|m el}", "offers nothing for 'f'"),
        ("{good[name.it]}", "no form or feature 'Ana'"),
        ("{thing", "a brace belongs to no slot"),
        ("{verb}", "there is no word 'verb'"),
    ],
)
def test_a_template_that_cannot_be_filled_is_refused(template, said):
    with pytest.raises(TemplateError, match=said.replace("'", ".")):
        check(template, LEXICON)


def test_words_within_words_end():
    with pytest.raises(TemplateError, match="deeper"):
        check("{a}", {"a": [{"it": "{a}"}]})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[tests.topic.x]\nkind = "MFT"', "says = what it tests"),
        ('[tests.topic.x]\nkind = "MFT"\nsays = "."\nvery = 1', "no key is called 'very'"),
        ('[tests.topics.x]\nkind = "MFT"', "did you mean 'topic'"),
        ('[de.topic.vocabulry]\nsports = ["x"]', "did you mean 'vocabulary'"),
        ('[xx.words]\na = ["b"]', "no language is called 'xx'"),
        ('[de.words]\nname = ["b"]', "'name' is there twice"),
        ('[sv.topic.vocabulary]\nsport = ["x"]', "did you mean 'sports'"),
        ('[sv.topic.vocabulary]\nsports = ["{nope}"]', "there is no word 'nope'"),
        ('[sv.nli.negation]\nneutral = ["x"]', "premise, hypothesis"),
        ('[sv.sentiment.intensity]\n"more positive" = ["x"]', "before, after"),
        ("[sv.words]\na = []", "at least one filler"),
        ("[sv.words", "own.toml"),
    ],
)
def test_a_file_that_is_wrong_is_named_with_what_is_wrong(text, said, tmp_path):
    (tmp_path / "own.toml").write_text(text, encoding="utf-8")
    with pytest.raises(SuiteError) as error:
        load(tmp_path / "own.toml")
    assert said in str(error.value) and "own.toml" in str(error.value)


def test_the_documented_file_is_a_suite(tmp_path):
    page = (Path(__file__).parent.parent / "docs" / "behaviour.md").read_text(encoding="utf-8")
    (tmp_path / "gift.toml").write_text(page.partition("```toml\n")[2].partition("```")[0], encoding="utf-8")
    suite = load(tmp_path / "gift.toml")
    assert [b.name for b in suite.of("sentiment", "es")][-1] == "gift" and len(suite.behaviours) == 1 + len(
        SUITE.behaviours
    )


def test_twelve_languages_have_six_tests_of_every_task():
    for task in TASKS:
        assert len([lang for lang in SUITE.languages if len(SUITE.of(task, lang)) >= 6]) >= 12
    scripts = {script for lang in SUITE.languages for script in languages.get(lang).scripts}
    assert len(scripts) >= 6


@pytest.mark.parametrize("lang", SUITE.languages)
def test_every_case_is_whole_and_differs_from_itself(lang):
    for task, its in TASKS.items():
        alignment = align(task, its.labels)
        for one in SUITE.of(task, lang):
            cases = list(draw(SUITE, lang, one, alignment, 15, 0))
            assert 3 <= len(cases) <= 15, (task, one.name)
            for case in cases:
                for item in (case.before, case.after):
                    for text in (item.text, item.pair) if item else ():
                        assert text is None or (text == text.strip() and "  " not in text and "{" not in text), text
                        assert text is None or text[0] == text[0].upper(), text
                assert case.before.pair != case.before.text and case.after != case.before
                assert (case.after is None) == (one.kind == "MFT")
                assert (case.before.pair is None) == (task != "nli")


def test_no_language_file_says_what_no_template_asks_for():
    said = "".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.toml"))
    for path in FOLDER.glob("*.toml"):
        for lang, parts in tomllib.loads(path.read_text(encoding="utf-8")).items():
            for word in parts.get("words", {}):
                assert f"{{{word}" in said or f"[{word}" in said, f"{path.name}: {lang}: {word}"


def test_cases_are_the_same_whatever_else_is_asked():
    classifier = KeywordClassifier({"positive": ["gut"], "negative": ["schlecht"]})
    whole = behave(SUITE, "sentiment", classifier, langs=["de", "en"], cases=6)
    part = behave(SUITE, "sentiment", classifier, langs=["de"], tests=["negation"], cases=6)
    assert part.verdicts == tuple(v for v in whole.verdicts if (v.lang, v.test) == ("de", "negation"))
    assert whole.to_json() == behave(SUITE, "sentiment", classifier, langs=["en", "de"], cases=6).to_json()
    other = behave(SUITE, "sentiment", classifier, langs=["de"], cases=6, seed=1)
    assert {v.before for v in other.verdicts} != {v.before for v in whole.verdicts if v.lang == "de"}


def own(tmp_path, text: str):
    (tmp_path / "own.toml").write_text(text, encoding="utf-8")
    return load(tmp_path / "own.toml")


def test_verdicts_by_hand(tmp_path):
    suite = own(
        tmp_path,
        """
[tests.sentiment.a]
kind = "MFT"
says = "."
[tests.sentiment.b]
kind = "INV"
says = "."
[tests.sentiment.c]
kind = "DIR"
says = "."
[sv.sentiment.a]
positive = ["bra", "inte bra", "?"]
"not positive" = ["inte"]
[sv.sentiment.b]
same = [["bra", "bra!"], ["bra", "dåligt"]]
[sv.sentiment.c]
"more positive" = [["dåligt", "bra"], ["bra", "dåligt"]]
""",
    )
    classifier = KeywordClassifier({"negative": ["Dåligt", "Inte"], "positive": ["Bra"], "neutral": []})
    report = behave(suite, "sentiment", classifier, langs=["sv"])
    assert [(v.test, v.before, v.failed) for v in report.verdicts] == [
        ("a", "Bra", False), ("a", "Inte bra", True), ("a", "?", True), ("a", "Inte", False),
        ("b", "Bra", False), ("b", "Bra", True), ("c", "Dåligt", False), ("c", "Bra", True),
    ]  # fmt: skip
    a, b, c = report.rows()
    assert (a.cases, a.failures, a.rate, a.broken, a.templates) == (4, 2, 0.5, True, 4) and a.low < 0.5 < a.high
    assert (b.failures, c.failures) == (1, 1)
    [summary] = report.summaries()
    assert (summary.cases.n, summary.cases.value, summary.tests.n, summary.tests.value) == (8, 0.5, 3, 1.0)


def test_templates_are_the_clusters(tmp_path):
    suite = own(
        tmp_path,
        '[sv.words]\nname = ["a", "b", "c", "d"]\n[sv.sentiment.vocabulary]\npositive = ["Bra {name}", "God {name}"]',
    )
    [row] = behave(
        suite, "sentiment", KeywordClassifier({"negative": ["God"], "positive": ["Bra"]}), langs=["sv"]
    ).rows()
    assert (row.cases, row.templates, row.rate) == (8, 2, 0.5)
    assert row.high - row.low > 0.75, "two templates, one good and one bad, are two trials, not eight"


def test_labels_are_matched_by_name_or_as_said():
    found = align("sentiment", ("NEG", "Positive"))
    assert found.groups == {"positive": ("Positive",), "negative": ("NEG",)}
    stars = align("sentiment", ("1", "2", "3"), parse_labels(["positive=2", "positive=3", "negative=1"]))
    assert stars.predicted(np.array([0.4, 0.3, 0.3])) == ("positive",), "what stands for one label wins together"
    two = align("nli", ("yes", "no"), parse_labels(["entailment=yes", "neutral=no", "contradiction=no"]))
    assert two.predicted(np.array([0.2, 0.8])) == ("neutral", "contradiction")
    assert align("topic", ("sports", "health", "law")).predicted(np.array([0.1, 0.1, 0.8])) == ("law",)


@pytest.mark.parametrize(
    ("labels", "said", "message"),
    [
        (("a", "b"), [], "need 'positive', 'negative', and the model's labels are 'a', 'b'"),
        (("positive", "b"), [], "need 'negative'"),
        (("a", "b"), ["postive=a"], "did you mean 'positive'"),
        (("good", "b"), ["positive=goof"], "did you mean 'good'"),
        (("a", "b"), ["positive"], "--label takes"),
    ],
)
def test_labels_that_do_not_fit_are_said(labels, said, message):
    with pytest.raises(LabelError) as error:
        align("sentiment", labels, parse_labels(said))
    assert message in str(error.value)


def test_what_the_model_has_no_label_for_is_left_out_and_said():
    report = behave(SUITE, "sentiment", KeywordClassifier({"negative": [], "positive": []}), langs=["de"], cases=4)
    assert "facts" not in report.tests and report.provenance["without"] == ["neutral"]
    assert "left out, for want of the label in the model: 'neutral'" in behaviour.text.summary(report)


def call(*arguments: str, status: int = 0) -> str:
    from runtime.cli import app

    found = CliRunner().invoke(app, ["behave", *arguments], env={"COLUMNS": "220", "TERM": "dumb"})
    assert found.exit_code == status, found.output
    return found.output if status else found.stdout


MODEL = ("--model", "tests.fakes_probes:make_topics", "--task", "topic", "--label", "entertainment=other")


def test_the_command(tmp_path):
    out = tmp_path / "found.md"
    said = call(*MODEL, "--lang", "de", "--lang", "ar", "--cases", "5", "--show", "1", "--out", str(out))
    assert "German" in said and "de vocabulary: “" in said and "expected health" in said
    page = out.read_text(encoding="utf-8")
    assert page.count("| MFT |") == 2 and "## Failing cases" in page
    whole = json.loads(call(*MODEL, "--lang", "de", "--cases", "5", "--json"))
    assert {row["lang"] for row in whole["rows"]} == {"de"} and len(whole["cases"]) <= 5 * 8


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((*MODEL, "--lang", "dee"), "did you mean 'de'"),
        ((*MODEL, "--tests", "vocabular"), "did you mean 'vocabulary'"),
        (("--model", "tests.fakes_probes:make_topics", "--task", "topics"), "did you mean 'topic'"),
        (("--model", "tests.fakes_probes:make_topics", "--task", "nli"), "say which is which with --label"),
        ((*MODEL, "--suite", "none.toml"), "none.toml"),
        ((*MODEL, "--out", "x.html"), "ends in .json or .md"),
    ],
)
def test_a_mistake_is_one_clear_line(arguments, said):
    lines = [line for line in call(*arguments, status=2).splitlines() if line.strip()]
    assert len(lines) == 1 and lines[0].startswith("error: ") and said in lines[0]
