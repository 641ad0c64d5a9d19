"""Renderings: numbers, 'not measured', changed letters, and one HTML file that needs nothing else."""

from __future__ import annotations

import csv
import io
import re
from html.parser import HTMLParser
from xml.etree import ElementTree as xml

from rich.console import Console

from probes import render
from probes.battery import load, parse, run
from probes.files import write_text
from probes.render.grid import grid, percent, why
from probes.render.rows import markdown_table
from probes.report import Outcome, Report
from probes.types import Edit, Example, Item
from runtime.speaking import table
from tests.fakes_probes import EXAMPLES, make_topics
from tests.test_report import PROVENANCE, outcome, report

FLIPPED = {"predicted_after": "b", "probability_before": 0.9}
FOUND = report(
    outcome("1", "held"),
    outcome("2", "held"),
    outcome("3", "held"),
    outcome("4", "fooled", after="te\u200bxt 4", edits=(Edit(2, 2, "\u200b"),), **FLIPPED),
    outcome("5", "fooled", lang="ar", after="نx", edits=(Edit(0, 4, "نx"),), **FLIPPED),
    outcome("6", "not_applicable", "case", "ar"),
    outcome("7", "held", "case", "en"),
)


class Tags(HTMLParser):
    """Every tag with its attributes, and whether each was closed."""

    VOID = frozenset({"meta", "br", "link", "img", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def text_of(table) -> str:
    console = Console(width=250, file=io.StringIO(), record=True)
    console.print(table)
    return console.export_text()


def test_segments_cut_at_the_edits():
    cut = render.segments("abcdef", (Edit(4, 5, ""), Edit(1, 2, "X"), Edit(6, 6, "!")))
    assert [(s.old, s.new, s.edited) for s in cut] == [
        ("a", "a", False), ("b", "X", True), ("cd", "cd", False), ("e", "", True), ("f", "f", False), ("", "!", True)
    ]  # fmt: skip
    assert render.segments("abc", ()) == [render.Segment("abc", "abc", False)]
    assert cut[1].names == "U+0058 LATIN CAPITAL LETTER X"


def test_what_cannot_be_seen_is_spelled():
    assert render.spell("a\u200bb\u2060 \u00a0\ufe0fя") == "aU+200BbU+2060␣U+00A0U+FE0Fя"


def test_percent():
    assert [percent(value) for value in (0, 0.034, 0.08, 0.0996, 0.25, 1)] == [
        "0 %",
        "3.4 %",
        "8 %",
        "10 %",
        "25 %",
        "100 %",
    ]
    assert percent(None) == "–"


def test_the_worst_language_comes_first_and_the_unmeasured_last():
    more = report(*FOUND.outcomes, outcome("9", "not_applicable", lang="zh"))
    assert grid(more).languages == ("ar", "en", "zh")


def test_why_a_cell_is_empty():
    late = outcome("3", "out_of_budget", lang="fr")
    rows = {
        row.lang: row
        for row in report(outcome("1", "not_applicable"), outcome("2", "wrong_already", lang="de"), late).rows()
    }
    assert "no edit" in why(rows["en"]) and "already wrong" in why(rows["de"]) and "time" in why(rows["fr"])
    assert "leaves the language out" in why(None)


def test_the_terminal_table():
    said = text_of(render.terminal(FOUND))
    assert "25 %" in said and "[5–70] n=4" in said, "1 of 4: Wilson 0.0456 to 0.6994"
    assert "measured" in said and "Arabic" in said
    assert said.index("Arabic") < said.index("English")


def test_markdown_is_a_table_of_as_many_cells():
    said = render.markdown(FOUND)
    rows = [line for line in said.splitlines() if line.startswith("|")]
    assert len(rows) == 4 and len({line.replace("\\|", "").count("|") for line in rows}) == 1
    assert "25 % [5–70] n=4" in said and "not measured" in said
    assert "te[→U+200B]xt 4" in said


def test_markdown_takes_no_markup_from_texts():
    hostile = outcome("1", "fooled", after="x", edits=(Edit(0, 1, "<b>|*"),), predicted_after="b")
    said = render.markdown(report(hostile))
    assert "<b>" not in said and "&lt;b>" in said and "\\*" in said


def test_csv_has_numbers_and_empty_cells():
    rows = list(csv.DictReader(io.StringIO(render.csv(FOUND))))
    assert [f"{row['lang']} {row['step']}" for row in rows] == ["ar typos", "ar case", "en typos", "en case"]
    assert rows[1]["rate"] == rows[1]["low"] == "" and rows[1]["measured"] == "False" and rows[1]["coverage"] == "0"
    assert float(rows[2]["rate"]) == 0.25 and rows[2]["n"] == "4" and float(rows[2]["clean_value"]) == 1


def test_html_is_whole_and_needs_nothing_else():
    text = render.html(FOUND)
    tags = Tags(text)
    assert tags.open == []
    assert not [tag for tag, attrs in tags.tags if tag in ("link", "img", "iframe") or "src" in attrs]
    assert not re.search(r"https?://|url\(|@import", text)
    assert "prefers-color-scheme: dark" in text and 'name="viewport"' in text


def test_every_square_can_be_reached_and_leads_to_its_flips():
    tags = Tags(render.html(FOUND))
    ids = [attrs["id"] for _, attrs in tags.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    links = [attrs["href"] for tag, attrs in tags.tags if tag == "a"]
    assert links and all(link.removeprefix("#") in ids for link in links)
    squares = [attrs for _, attrs in tags.tags if "title" in attrs and "aria-label" in attrs and attrs["title"]]
    said = [str(attrs["title"]) for attrs in squares]
    assert any("en, typos: 1 of 4 predictions flipped, 25 %, 95 % interval 4.6 % to 70 %" in title for title in said)
    assert any("ar, case: not measured, no edit of this step applies" in title for title in said)
    assert all("href" in attrs or attrs.get("tabindex") == "0" for attrs in squares)


def test_html_shows_the_changed_letters():
    text = render.html(FOUND)
    assert 'te<ins class="code" title="U+200B ZERO WIDTH SPACE">U+200B</ins>xt 4' in text
    assert "<del>text</del> 5" in text
    assert text.count('dir="auto"') == 4
    arabic = text.partition("Arabic")[2].partition("</tr>")[0]
    assert "not measured" in arabic and ">0 %<" not in arabic


def test_html_takes_no_markup_from_texts_languages_or_steps():
    evil = "<script>alert(1)</script>"
    made = parse({"steps": [{"name": evil, "perturbations": ["drop"]}], "name": evil})
    found = run(made, make_topics(), [Example(evil, Item(f"The team {evil}"), "en", "sports")])
    text = render.html(found)
    assert evil not in text and len(re.findall("<script", text)) == 1


def test_pairs_show_the_side_that_was_edited():
    pair = Outcome(
        "p", "en", "typos", 0, "fooled", True, "a", "kept", "changed", "kept", "hanged",
        pair_edits=(Edit(0, 1, ""),), predicted_before="a", predicted_after="b",
    )  # fmt: skip
    assert "<del>c</del>hanged" in render.html(report(pair))
    assert "[c→]hanged" in render.markdown(report(pair))


def test_a_truncated_report_says_so():
    short = run(load("quick"), make_topics(), EXAMPLES, deadline=0)
    for said in (text_of(render.terminal(short)), render.markdown(short)):
        assert "cut short by the deadline" in " ".join(said.split())
    assert "time ran out" in render.html(short)


def test_accuracies_are_shown_only_where_there_are_gold_labels():
    for labelled in (True, False):
        found = run(load("quick"), make_topics(), [e if labelled else Example(e.id, e.item, e.lang) for e in EXAMPLES])
        for said in (text_of(render.terminal(found)), render.markdown(found), render.html(found)):
            said = re.sub(r"\s+|<br>", " ", said).partition("Where this")[0]
            assert ("obust accuracy" in said) is labelled
            assert ("own clean predictions" in said) is not labelled


def test_files_are_written_whole(tmp_path):
    paths = render.write(FOUND, tmp_path / "new")
    assert sorted(path.name for path in paths) == ["report.csv", "report.html", "report.json", "report.md"]
    assert {path.name for path in (tmp_path / "new").iterdir()} == {path.name for path in paths}
    assert Report.from_json((tmp_path / "new" / "report.json").read_text(encoding="utf-8")) == FOUND
    assert PROVENANCE["battery"]["name"] == "inline"


def test_what_others_wrote_is_no_markup_anywhere():
    """Names and texts in the brackets of a terminal, as links of Markdown and with what XML cannot hold."""
    said = "![x](http://a.example) [/red] ~~a~~ $b$"
    hostile = outcome("1", "fooled", lang="en\n# [/b]\x00", after="x", edits=(Edit(0, 1, said),), predicted_after="b")
    found = report(hostile)
    assert "[/b]" in text_of(render.terminal(found))
    page = render.markdown(found)
    assert "](" not in page.replace("\\](", "") and "\n# [/b]" not in page and "~~a" not in page and "$b$" not in page
    xml.fromstring(render.junit(found))
    assert "\x00" not in render.junit(found) + render.github(found) + render.csv(found)
    assert markdown_table([{"a|b": "[x](y)"}])[0] == "| a\\|b |"
    assert "[/x]" in text_of(table("[/x]", [{"[/y]": "[/z]"}]))


def test_half_a_character_can_be_written_and_comes_back(tmp_path):
    half = report(outcome("\ud800", "held", after="a\\\udfff"))
    write_text(tmp_path / "report.json", half.json_parts())
    assert Report.from_json((tmp_path / "report.json").read_text("utf-8")).outcomes == half.outcomes
