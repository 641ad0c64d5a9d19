"""The page in a real browser: sentences that are read, flipped and understood."""

from __future__ import annotations

import re

import pytest

from tests.fakes_page import MARKS, POLITICS, SENTENCES, Page, Route, change, expect, read, sent, tab_to

pytestmark = MARKS


def test_a_typed_sentence_gets_its_label_language_and_bars(page: Page) -> None:
    read(page, "Die Ministerin verlor die Wahl und trat danach sofort zurück")
    expect(page.locator("#label")).to_have_text("politics")
    expect(page.locator("#lang option:checked")).to_contain_text("German, detected")
    expect(page.locator("#bars li")).to_have_count(3)
    expect(page.locator("#bars li").first).to_contain_text("politics")


def test_the_detected_language_can_be_corrected(page: Page) -> None:
    bodies = sent(page, "/probe")
    read(page, POLITICS)
    page.select_option("#lang", "nl")
    change(page)
    assert {tuple(body["languages"]) for body in bodies} == {("nl",)}


@pytest.mark.parametrize(
    ("lang", "label", "direction"),
    [("en", "politics", "ltr"), ("ar", "politics", "rtl"), ("th", "health", "ltr"), ("zh", "politics", "ltr")],
    ids=["en", "ar", "th", "zh"],
)
def test_a_sentence_is_read_flipped_and_understood_by_keyboard_alone(
    page: Page, lang: str, label: str, direction: str
) -> None:
    text = next(text for code, known, text in SENTENCES if (code, known) == (lang, label))
    tab_to(page, "#text")
    page.keyboard.insert_text(text)
    tab_to(page, "#form button[type=submit]")
    page.keyboard.press("Enter")
    expect(page.locator("#label")).to_have_text(label)
    tab_to(page, "#probe")
    page.keyboard.press("Enter")
    expect(page.locator("#smallest .sentence :is(del, ins)").first).to_be_visible()
    expect(page.locator("#found")).to_contain_text(f"no longer {label}")
    assert page.locator("#smallest .sentence").evaluate("line => getComputedStyle(line).direction") == direction
    assert page.locator("#smallest .sentence").get_attribute("lang") == lang
    tab_to(page, "#variants summary")
    page.keyboard.press("Enter")
    expect(page.locator("#variants .variant").first).to_be_visible()
    before = page.locator("#variants .sentence").first.evaluate(
        "line => { const left = line.cloneNode(true); left.querySelectorAll('ins').forEach(one => one.remove()); "
        "return left.textContent.replaceAll('◌', ''); }"
    )
    assert before.replace("space", " ") == text


def test_changed_letters_are_spelled_out(page: Page) -> None:
    read(page, POLITICS)
    change(page)
    for name in ("invisible", "homoglyph"):
        page.locator("#variants summary", has_text=name).first.click()
    unseen = page.locator("#variants > li", has=page.locator("summary b", has_text="invisible"))
    assert unseen.locator("ins .unseen").first.inner_text().startswith("U+")
    expect(unseen.locator(".worded").first).to_contain_text("slipped in")
    alike = page.locator("#variants > li", has=page.locator("summary b", has_text="homoglyph"))
    said = " ".join(alike.locator(".worded").all_inner_texts())
    assert re.search(r"Latin \w U\+[0-9A-F]{4} became \w[\w ]* \S U\+[0-9A-F]{4,5}", said), said


def test_a_flip_can_be_taken_along(page: Page) -> None:
    read(page, POLITICS)
    change(page)
    page.locator("#smallest button").click()
    expect(page.locator("#smallest button")).to_have_text("Copied")
    taken = page.evaluate("navigator.clipboard.readText()")
    assert taken != POLITICS
    read(page, taken)
    expect(page.locator("#label")).not_to_have_text("politics")


def test_only_the_probes_that_were_chosen_are_run(page: Page) -> None:
    bodies = sent(page, "/probe")
    read(page, POLITICS)
    page.click("#choose summary")
    page.uncheck("#all-families")
    page.check("#families input[value=Numbers]")
    page.check("#families input[value=Words]")
    page.uncheck("#search")
    page.select_option("#strength", "2")
    page.select_option("#draws", "4")
    expect(page.locator("#chosen")).to_contain_text("2 of 7 kinds, heavy, 4 draws")
    change(page)
    steps = [step for body in bodies for step in body["steps"]]
    assert {"word_drop", "word_order", "digits"} <= {step["name"] for step in steps}
    assert not {"swap", "search"} & {step["name"] for step in steps}
    assert {(step["strength"], step["draws"]) for step in steps} == {(0.24, 4)}
    page.uncheck("#families input[value=Numbers]")
    page.uncheck("#families input[value=Words]")
    page.click("#probe")
    expect(page.locator("#probe-failure")).to_contain_text("Choose at least one")


def test_it_is_said_when_nothing_flips(page: Page) -> None:
    read(page, "Nothing at all was going on that day")
    change(page)
    expect(page.locator("#found")).to_contain_text("Nothing flips it")
    expect(page.locator("#variants li")).to_have_count(0)
    expect(page.locator("#smallest")).to_be_hidden()
    page.click("#held summary")
    expect(page.locator("#held li").first).to_contain_text("the true rate may be up to")


def test_text_is_never_read_as_markup(page: Page) -> None:
    read(page, "<img src=x onerror=alert(1)> election")
    change(page)
    page.locator("#variants summary").first.click()
    expect(page.locator("#smallest")).to_contain_text("<img")
    assert page.locator("main img").count() == 0


def test_probing_can_be_stopped(troubled: Page, address: str) -> None:
    held: list[Route] = []
    troubled.route(f"{address}/probe", lambda route: held.append(route))
    read(troubled, POLITICS)
    troubled.click("#probe")
    expect(troubled.locator("#cancel")).to_be_focused()
    troubled.keyboard.press("Enter")
    expect(troubled.locator("#found")).to_contain_text("Stopped")
    expect(troubled.locator("#probe")).to_be_focused()
    assert len(held) == 1
