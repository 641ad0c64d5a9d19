"""The page in a real browser and its service: away, busy, asked with a key; streams, jobs, several models."""

from __future__ import annotations

import json
from pathlib import Path

from tests.fakes_page import MARKS, POLITICS, Page, Route, change, expect, read, ready, sent

pytestmark = MARKS


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
        "text": f"{text}\u2028today",
        "changed": "The eletcion\u2028today",
        "pair": None,
        "edits": [{"start": 7, "end": 9, "new": "tc"}],
        "pair_edits": [],
        "label": "politics",
        "changed_label": "sports",
    }
    stream = (
        f": still here\n\nevent: progress\ndata: {json.dumps({'done': 1, 'wanted': 2})}\n\n"
        f"event: flip\ndata: {json.dumps(flip, ensure_ascii=False)}\n\n"
    )

    page.route(
        f"{address}/probe",
        lambda route: route.fulfill(content_type="text/event-stream", body=stream),
    )
    read(page, text)
    page.click("#probe")
    expect(page.locator("#probe-failure")).to_contain_text("ended too early")
    expect(page.locator("#smallest .sentence")).to_have_text("The electtcion today")
    expect(page.locator("#smallest .turn")).to_have_text("politics → sports")


def guard(page: Page, address: str) -> list[str | None]:
    """What the page sends as its key, of which only "right" is known."""
    sent: list[str | None] = []

    def guarded(route: Route) -> None:
        sent.append(route.request.headers.get("authorization"))
        if sent[-1] == "Bearer right":
            route.continue_()
        else:
            route.fulfill(status=401, json={"error": "Send a key.", "code": "unauthorized"})

    page.route(address, guarded)
    return sent


def give_key(page: Page, key: str) -> None:
    expect(page.locator("#key")).to_be_focused()
    page.keyboard.insert_text(key)
    page.keyboard.press("Enter")


def test_a_key_is_asked_for_and_sent(troubled: Page, address: str) -> None:
    sent = guard(troubled, f"{address}/predict*")
    troubled.fill("#text", "election")
    troubled.click("#form button[type=submit]")
    give_key(troubled, "wrong")
    expect(troubled.locator("#key-said")).to_contain_text("not known")
    give_key(troubled, "right")
    expect(troubled.locator("#label")).to_have_text("politics")
    expect(troubled.locator("#key-form")).to_be_hidden()
    expect(troubled.locator("#form button[type=submit]")).to_be_focused()
    assert sent == [None, "Bearer wrong", "Bearer right"]


def test_a_key_that_no_header_can_carry_is_not_taken(troubled: Page, address: str) -> None:
    sent = guard(troubled, f"{address}/predict*")
    troubled.fill("#text", "election")
    troubled.click("#form button[type=submit]")
    for key in ("ключ", "two words", "tür"):
        give_key(troubled, key)
        troubled.wait_for_timeout(50)
        expect(troubled.locator("#key-form")).to_be_visible()
        assert troubled.locator("#key").evaluate("field => field.validity.patternMismatch")
        troubled.keyboard.press("Control+a")
    give_key(troubled, " right ")
    expect(troubled.locator("#label")).to_have_text("politics")
    assert sent == [None, "Bearer right"]


def test_a_key_that_may_not_read_can_be_changed(troubled: Page, address: str) -> None:
    refusal = "This key may read metrics; this address needs the role use."

    def guarded(route: Route) -> None:
        key = route.request.headers.get("authorization")
        if key == "Bearer right":
            route.continue_()
        else:
            route.fulfill(status=403 if key else 401, json={"error": refusal, "code": "forbidden"})

    troubled.route(f"{address}/about", guarded)
    troubled.reload()
    give_key(troubled, "metrics")
    expect(troubled.locator("#key-said")).to_have_text(refusal)
    troubled.reload()
    expect(troubled.locator("#key-said")).to_have_text(refusal)
    give_key(troubled, "right")
    ready(troubled)
    expect(troubled.locator("#key-form")).to_be_hidden()


def test_waiting_for_a_key_can_be_stopped(troubled: Page, address: str) -> None:
    read(troubled, POLITICS)
    guard(troubled, f"{address}/probe")
    troubled.click("#probe")
    expect(troubled.locator("#key-form")).to_be_visible()
    troubled.click("#cancel")
    expect(troubled.locator("#found")).to_contain_text("Stopped")
    troubled.click("#probe")
    give_key(troubled, "right")
    expect(troubled.locator("#found")).to_contain_text("no longer politics")


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
    with page.expect_request(lambda request: request.method == "DELETE") as asked:
        line.get_by_role("button", name="Cancel").click()
    assert asked.value.url.endswith("?only=cancel"), "a job that ends just now keeps its report"
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
