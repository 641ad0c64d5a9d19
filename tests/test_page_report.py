"""The page in a real browser: the heat map and what is behind it, own sentences, files that are read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.fakes_page import MARKS, POLITICS, SENTENCES, Page, expect, sent, tab_to

pytestmark = MARKS


def test_the_heat_map_is_walked_and_opened_by_keyboard(page: Page) -> None:
    page.focus("#run")
    page.keyboard.press("Enter")
    expect(page.locator("#report-said")).to_have_text("6 languages probed.")
    expect(page.locator("#heat tbody th").first).to_have_text("Arabic")
    tab_to(page, "#heat td.cell")
    expect(page.locator("#detail")).to_contain_text("Arabic, typos")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("End")
    expect(page.locator("#detail")).to_contain_text("Chinese, words")
    page.keyboard.press("PageDown")
    page.keyboard.press("Home")
    expect(page.locator("#detail")).to_contain_text("Thai, typos")
    page.keyboard.press("Enter")
    expect(page.locator("#drill")).to_be_visible()
    expect(page.locator("#drill-title")).to_have_text("Thai, typos")
    expect(page.locator("#drill dl")).to_contain_text("Could touch")
    page.keyboard.press("Escape")
    expect(page.locator("#drill")).to_be_hidden()
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("Thai, typos")
    assert page.locator("#heat td[tabindex='0']").count() == 1


def test_a_cell_says_its_numbers_and_shows_its_texts(page: Page) -> None:
    page.click("#run")
    expect(page.locator("#report-said")).to_have_text("6 languages probed.")
    assert page.locator("#heat td.unmeasured").count() > 0
    assert page.locator("#heat td.few").count() > 0
    said = page.locator("#heat td.cell:not(.unmeasured)").evaluate_all("cells => cells.map(cell => cell.title)")
    assert said and all("flip, " in words and " to " in words for words in said)
    page.locator("#heat td.cell:not(.unmeasured)", has_text="100").first.click()
    expect(page.locator("#drill .variant").first).to_be_visible()
    expect(page.locator("#drill .sentence :is(del, ins)").first).to_be_visible()
    page.click("#close")
    expect(page.locator("#drill")).to_be_hidden()


def test_the_heat_map_is_sorted_filtered_kept_and_downloaded(page: Page) -> None:
    page.click("#run")
    expect(page.locator("#report-said")).to_have_text("6 languages probed.")
    page.select_option("#script", "Latin")
    assert page.locator("#heat tbody th").all_inner_texts() == ["English", "German"]
    page.select_option("#script", "")
    page.select_option("#sort", "typos")
    rates = page.locator("#heat td[data-step=typos]").all_inner_texts()
    shown = [-1 if rate == "–" else int(rate) for rate in rates]
    assert len(set(shown)) > 1 and shown == sorted(shown, reverse=True)
    with page.expect_download() as downloading:
        page.click("#download")
    report = json.loads(Path(downloading.value.path()).read_text(encoding="utf-8"))
    assert {row["lang"] for row in report["rows"]} == {lang for lang, _, _ in SENTENCES}
    page.reload()
    expect(page.locator("#heat tbody tr")).to_have_count(6)


def test_own_sentences_are_probed_in_the_language_they_are_in(page: Page) -> None:
    bodies = sent(page, "/probe")
    page.select_option("#source", "own")
    page.fill("#own", f"{POLITICS}\n\nDer Arzt kam heute Morgen nicht in das Krankenhaus\n")
    page.click("#run")
    expect(page.locator("#report-said")).to_have_text("2 languages probed.")
    assert [body["languages"] for body in bodies] == [["en"], ["de"]]
    assert page.locator("#heat tbody th").all_inner_texts() == ["English", "German"]


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("own.csv", 'label,text\npolitics,"An election, ""they"" said"\nsports,The team\n', 'An election, "they" said'),
        ("own.jsonl", '{"text": "The election", "lang": "en", "label": "politics"}\n', "The election"),
        ("own.txt", "\ufeffThe election\r\n\r\nThe team\r\n", "The election"),
    ],
)
def test_a_file_is_read_in_the_browser(page: Page, name: str, content: str, found: str) -> None:
    bodies = sent(page, "/probe")
    page.select_option("#source", "own")
    page.set_input_files("#file", {"name": name, "mimeType": "text/plain", "buffer": content.encode()})
    page.click("#run")
    expect(page.locator("#report-said")).to_contain_text("probed")
    assert found in [text for body in bodies for text in body["texts"]]
    if name != "own.txt":
        assert "politics" in [label for body in bodies for label in body["labels"]]


def test_a_file_that_cannot_be_read_is_told_by_line(page: Page) -> None:
    page.select_option("#source", "own")
    content = b'{"text": "one"}\n{"text": \n'
    page.set_input_files("#file", {"name": "own.jsonl", "mimeType": "text/plain", "buffer": content})
    page.click("#run")
    expect(page.locator("#report-failure")).to_contain_text("own.jsonl, line 2, is not JSON")
