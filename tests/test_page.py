"""The page in a real browser: reading, flipping, the heat map and what is behind it, own sentences, what goes wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes_model import KEYWORDS, build_model_folder
from tests.fakes_page import (
    MARKS,
    SENTENCES,
    Browser,
    Page,
    Route,
    chromium,
    expect,
    loaded,
    page_service,
    read,
    ready,
    tab_to,
)

pytestmark = MARKS
POLITICS = "After the election everything in the town went quiet"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("page")
    blunt = build_model_folder(folder / "blunt", keywords={})
    sharp = build_model_folder(folder / "next", keywords=KEYWORDS)
    pairs = build_model_folder(folder / "pairs", pairs=True)
    served = {"keywords": folder / "keywords", "blunt": blunt, "pairs": pairs}
    models = {"MODELS": ",".join(f"{name}={path}" for name, path in served.items()), "SHADOW": f"keywords={sharp}"}
    with page_service(folder, **models) as server:
        yield server.url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    with loaded(browser, address, permissions=["clipboard-read", "clipboard-write"]) as opened:
        ready(opened)
        yield opened


@pytest.fixture
def troubled(browser: Browser, address: str) -> Iterator[Page]:
    """The page where requests are made to fail, about which the browser may complain."""
    with loaded(browser, address, errors=True) as opened:
        ready(opened)
        yield opened


def sent(page: Page, path: str) -> list[dict[str, Any]]:
    """The bodies that the page posts to a path from now on."""
    bodies: list[dict[str, Any]] = []
    page.on("request", lambda asked: bodies.append(asked.post_data_json) if asked.url.endswith(path) else None)
    return bodies


def change(page: Page) -> None:
    page.click("#probe")
    expect(page.locator("#probe")).to_be_visible()
    expect(page.locator("#found")).not_to_contain_text("…")


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


def test_a_service_that_is_away_is_told_and_asked_again(troubled: Page, address: str) -> None:
    troubled.route(f"{address}/predict*", lambda route: route.abort())
    troubled.fill("#text", "election")
    troubled.click("#form button[type=submit]")
    expect(troubled.locator("#failure")).to_contain_text("does not answer")
    troubled.unroute(f"{address}/predict*")
    troubled.click("#failure button")
    expect(troubled.locator("#label")).to_have_text("politics")
    expect(troubled.locator("#failure")).to_be_hidden()


def test_a_busy_service_is_waited_for(troubled: Page, address: str) -> None:
    asked: list[str] = []

    def busy(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) > 2:
            route.continue_()
        else:
            route.fulfill(status=429, headers={"Retry-After": "0"}, json={"error": "Full."})

    troubled.route(f"{address}/predict*", busy)
    read(troubled, "election")
    expect(troubled.locator("#label")).to_have_text("politics")
    assert len(asked) == 3


def test_flips_are_shown_while_the_stream_goes_on(page: Page, address: str) -> None:
    text = "The election"
    flip = {
        "lang": "en",
        "step": "swap",
        "index": 0,
        "text": text,
        "changed": "The eletcion",
        "pair": None,
        "edits": [{"start": 7, "end": 9, "new": "tc"}],
        "pair_edits": [],
        "label": "politics",
        "changed_label": "sports",
    }
    stream = (
        f": still here\n\nevent: progress\ndata: {json.dumps({'done': 1, 'wanted': 2})}\n\n"
        f"event: flip\ndata: {json.dumps(flip)}\n\n"
    )

    page.route(
        f"{address}/probe",
        lambda route: route.fulfill(content_type="text/event-stream", body=stream),
    )
    read(page, text)
    page.click("#probe")
    expect(page.locator("#probe-failure")).to_contain_text("ended too early")
    expect(page.locator("#smallest .sentence")).to_have_text("The electtcion")
    expect(page.locator("#smallest .turn")).to_have_text("politics → sports")


def test_a_key_is_asked_for_and_sent(troubled: Page, address: str) -> None:
    sent: list[str | None] = []

    def guarded(route: Route) -> None:
        sent.append(route.request.headers.get("authorization"))
        if sent[-1] == "Bearer right":
            route.continue_()
        else:
            route.fulfill(status=401, json={"error": "Send a key.", "code": "unauthorized"})

    troubled.route(f"{address}/predict*", guarded)
    troubled.fill("#text", "election")
    troubled.click("#form button[type=submit]")
    expect(troubled.locator("#key")).to_be_focused()
    for key, said in (("wrong", "not known"), ("right", "")):
        troubled.keyboard.insert_text(key)
        troubled.keyboard.press("Enter")
        if said:
            expect(troubled.locator("#key-said")).to_contain_text(said)
    expect(troubled.locator("#label")).to_have_text("politics")
    expect(troubled.locator("#key-form")).to_be_hidden()
    assert sent == [None, "Bearer wrong", "Bearer right"]


def test_a_job_is_handed_in_watched_shown_downloaded_and_deleted(page: Page) -> None:
    page.click("#job")
    expect(page.locator("#report-said")).to_contain_text("is done")
    line = page.locator("#jobs li").first
    expect(line).to_contain_text("quick on keywords, 7 sentences")
    with page.expect_download() as downloading:
        line.get_by_role("button", name="Download HTML").click()
    assert "<html" in Path(downloading.value.path()).read_text(encoding="utf-8")
    line.get_by_role("button", name="Show").press("Enter")
    expect(page.locator("#report-name")).to_have_text("quick, keywords")
    expect(page.locator("#heat tbody tr")).to_have_count(6)
    expect(page.locator("#heat td[tabindex='0']")).to_be_focused()
    page.locator("#heat td.cell:not(.unmeasured)", has_text="100").first.click()
    expect(page.locator("#drill .sentence :is(del, ins)").first).to_be_visible()
    page.keyboard.press("Escape")
    line.get_by_role("button", name="Delete").click()
    expect(page.locator("#jobs-part")).to_be_hidden()


def test_a_job_can_be_cancelled(page: Page) -> None:
    page.select_option("#source", "own")
    page.fill("#own", "\n".join(f"{POLITICS}, number {number}" for number in range(400)))
    page.select_option("#battery", "attacks")
    page.click("#job")
    line = page.locator("#jobs li").first
    expect(line.locator("progress")).to_be_visible()
    line.get_by_role("button", name="Cancel").click()
    expect(line).to_contain_text("cancelled")
    line.get_by_role("button", name="Delete").click()
    expect(page.locator("#jobs-part")).to_be_hidden()


def test_two_models_are_compared(page: Page) -> None:
    page.select_option("#other", "blunt")
    read(page, POLITICS)
    expect(page.locator("#label")).to_have_text("politics")
    expect(page.locator("#beside-model")).to_contain_text("Another label by blunt")
    page.select_option("#against", "blunt")
    page.click("#run")
    expect(page.locator("#report-said")).to_have_text("6 languages probed.")
    said = page.locator("#heat td.cell:not(.unmeasured)").evaluate_all("cells => cells.map(cell => cell.title)")
    assert said and all(" against " in words and " points (" in words for words in said)
    page.locator("#heat td.cell:not(.unmeasured)").first.click()
    assert page.locator("#drill h3").all_inner_texts() == ["keywords", "blunt"]


def test_another_model_can_be_asked(page: Page) -> None:
    read(page, POLITICS)
    expect(page.locator("#label")).to_have_text("politics")
    with page.expect_request("**/models/blunt/predict*"):
        page.select_option("#served", "blunt")
    expect(page.locator("#label")).to_have_text("sports")
    expect(page.locator("#model")).to_contain_text("Model blunt")


def test_what_live_traffic_says_of_the_candidate_is_shown(page: Page) -> None:
    expect(page.locator("#candidate")).to_be_visible()
    expect(page.locator("#shadow tbody th").first).to_have_text("All languages")


def test_a_model_of_pairs_is_given_two_texts(page: Page) -> None:
    bodies = sent(page, "/probe")
    page.select_option("#served", "pairs")
    page.fill("#text", "Nobody knew of it")
    page.fill("#pair", "The election")
    page.locator("#pair").press("Control+Enter")
    expect(page.locator("#label")).to_have_text("politics")
    change(page)
    expect(page.locator("#smallest .sentence")).to_have_count(2)
    assert {tuple(body["pairs"]) for body in bodies} == {("The election",)}
    assert page.locator("#source option").first.is_disabled()
