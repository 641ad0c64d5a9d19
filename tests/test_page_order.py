"""The page in a real browser: answers that come late, or in another order, or to something started a second time."""

from __future__ import annotations

import pytest

from tests.fakes_page import MARKS, POLITICS, Page, Route, expect, hold, job, read, release, tell, until, with_jobs

pytestmark = MARKS


def test_a_heat_map_is_of_the_model_it_was_begun_with(page: Page, address: str) -> None:
    held = hold(page, "**/probe")
    page.click("#run")
    until(page, lambda: len(held) == 1)
    page.select_option("#served", "pairs")
    for place in range(6):
        release(page, held, place)
    expect(page.locator("#report-said")).to_have_text("6 languages probed.")
    assert {route.request.url for route in held} == {f"{address}/probe"}
    assert not any("pairs" in route.request.post_data_json for route in held)
    expect(page.locator("#report-name")).to_have_text("quick, keywords")


def test_of_two_models_only_the_one_of_pairs_is_sent_pairs(page: Page, address: str) -> None:
    held = hold(page, "**/probe")
    page.select_option("#served", "pairs")
    page.select_option("#against", "keywords")
    content = f"text,pair,lang\n{POLITICS},The team,en\n"
    page.set_input_files("#file", {"name": "own.csv", "mimeType": "text/csv", "buffer": content.encode()})
    page.click("#run")
    for place in range(2):
        release(page, held, place)
    expect(page.locator("#report-said")).to_have_text("1 language probed.")
    sent = {route.request.url: "pairs" in route.request.post_data_json for route in held}
    assert sent == {f"{address}/models/pairs/probe": True, f"{address}/probe": False}


def test_a_first_reading_under_way_is_asked_of_the_model_that_was_chosen(page: Page, address: str) -> None:
    held = hold(page, f"{address}/predict*")
    page.fill("#text", POLITICS)
    page.press("#text", "Control+Enter")
    until(page, lambda: len(held) == 1)
    page.select_option("#served", "blunt")
    expect(page.locator("#label")).to_have_text("sports")
    held[0].continue_()
    with page.expect_request("**/probe") as asked:
        page.click("#probe")
    assert asked.value.url == f"{address}/models/blunt/probe"
    expect(page.locator("#label")).to_have_text("sports")


@pytest.mark.parametrize("left", ["", " "], ids=["nothing", "a space"])
def test_a_reading_is_over_when_its_sentence_and_its_model_are_gone(page: Page, address: str, left: str) -> None:
    read(page, POLITICS)
    held = hold(page, f"{address}/predict*")
    page.press("#text", "Control+Enter")
    until(page, lambda: len(held) == 1)
    page.fill("#text", left)
    with page.expect_event("requestfailed"):
        page.select_option("#served", "blunt")
    with page.expect_request("**/probe") as asked:
        page.click("#probe")
    assert asked.value.url == f"{address}/probe", "what is shown was read by the model before"


def test_a_reading_is_over_when_the_field_is_emptied_and_asked_again(page: Page, address: str) -> None:
    held = hold(page, f"{address}/predict*")
    page.fill("#text", POLITICS)
    page.press("#text", "Control+Enter")
    until(page, lambda: len(held) == 1)
    page.fill("#text", " ")
    with page.expect_event("requestfailed"):
        page.press("#text", "Control+Enter")
    expect(page.locator("#verdict")).to_be_hidden()


def test_a_battery_that_is_started_again_ends_the_one_before(page: Page) -> None:
    held = hold(page, "**/probe")
    page.click("#run")
    until(page, lambda: len(held) == 1)
    with page.expect_event("requestfailed"):
        page.locator("#battery-form").evaluate("form => form.requestSubmit()")
    until(page, lambda: len(held) == 2)
    expect(page.locator("#report-said")).not_to_contain_text("Stopped")
    expect(page.locator("#stop")).to_be_visible()
    with page.expect_event("requestfailed"):
        page.click("#stop")
    expect(page.locator("#report-said")).to_have_text("Stopped.")
    expect(page.locator("#run")).to_be_visible()


def test_flips_that_are_asked_for_twice_are_looked_for_once(page: Page, address: str) -> None:
    read(page, POLITICS)
    reading, held = hold(page, f"{address}/predict*"), hold(page, "**/probe")
    begun: list[str] = []
    ended: list[str] = []
    page.on("request", lambda request: begun.append(request.url))
    page.on("requestfailed", lambda request: ended.append(request.url))
    page.press("#text", "Control+Enter")
    until(page, lambda: len(reading) == 1)
    page.click("#probe")
    page.click("#probe")
    reading[0].continue_()
    until(page, lambda: len(held) > 0)
    page.click("#cancel")
    expect(page.locator("#found")).to_contain_text("Stopped")
    until(page, lambda: begun.count(f"{address}/probe") == len(ended))


def test_the_candidate_shown_is_that_of_the_model_that_is_asked(page: Page, address: str) -> None:
    def all_with_a_candidate(route: Route) -> None:
        said = route.fetch().json()
        for model in said["models"]:
            model["candidate"] = said["models"][0]["candidate"]
        route.fulfill(json=said)

    page.route(f"{address}/models", all_with_a_candidate)
    held = hold(page, "**/shadow")
    page.reload()
    until(page, lambda: len(held) == 1)
    answer = held[0].fetch().json()
    page.select_option("#served", "blunt")
    until(page, lambda: len(held) == 2)
    expect(page.locator("#candidate")).to_be_hidden()
    for place, n in ((1, 2222), (0, 1111)):
        with page.expect_response("**/shadow"):
            held[place].fulfill(json=answer | {"overall": answer["overall"] | {"n": n}})
    page.wait_for_timeout(100)
    expect(page.locator("#shadow td").first).to_have_text("2222")


def test_of_two_jobs_the_one_asked_for_last_is_shown(page: Page) -> None:
    with_jobs(page, [job("one", "done"), job("two", "done")])
    answer = page.evaluate("fetch('/batteries/one/result').then(answer => answer.json())")
    held = hold(page, "**/batteries/*/result")
    for name in ("one", "two"):
        page.get_by_role("button", name=f"Show: {name}").click()
    until(page, lambda: len(held) == 2)
    for place in (1, 0):
        with page.expect_response("**/result"):
            held[place].fulfill(json=answer)
        page.wait_for_timeout(100)
        expect(page.locator("#report-name")).to_have_text("two, keywords")


def test_a_running_battery_leaves_the_job_that_is_shown(page: Page) -> None:
    with_jobs(page, [job("kept", "done")])
    held = hold(page, "**/probe")
    page.click("#run")
    for place in range(6):
        if place == 2:
            until(page, lambda: len(held) == 3)
            expect(page.locator("#report-name")).to_have_text("quick, keywords")
            page.get_by_role("button", name="Show: kept").click()
            expect(page.locator("#report-name")).to_have_text("kept, keywords")
        release(page, held, place)
    expect(page.locator("#report-said")).to_contain_text("6 languages probed.")
    expect(page.locator("#report-name")).to_have_text("kept, keywords")
    page.click("#report-said button")
    expect(page.locator("#report-name")).to_have_text("quick, keywords")
    expect(page.locator("#heat tbody tr")).to_have_count(6)


def test_a_download_that_failed_stays_said_while_jobs_end(troubled: Page) -> None:
    jobs = [job("kept", "done"), job("going", "running")]
    events = with_jobs(troubled, jobs)
    troubled.route("**/result?format=csv", lambda route: route.abort())
    troubled.get_by_role("button", name="Download CSV: kept").click()
    expect(troubled.locator("#jobs-failure")).to_contain_text("does not answer")
    jobs[1] = job("going", "done")
    tell(troubled, events, 0, jobs[1])
    expect(troubled.get_by_role("button", name="Show: going")).to_be_visible()
    expect(troubled.locator("#report-said")).to_have_text("The job “going” is done.")
    troubled.wait_for_timeout(100)
    expect(troubled.locator("#jobs-failure")).to_contain_text("does not answer")


def test_a_list_of_jobs_that_comes_late_is_not_drawn(page: Page) -> None:
    jobs = [job("one", "done"), job("two", "running")]
    events = with_jobs(page, jobs)
    lists = hold(page, "**/batteries?limit=20")
    page.route("**/batteries/one?only=delete", lambda route: route.fulfill(status=204))
    tell(page, events, 0, job("two", "done"))
    until(page, lambda: len(lists) == 1)
    page.get_by_role("button", name="Delete: one").click()
    until(page, lambda: len(lists) == 2)
    for place, rest in ((1, jobs[1:]), (0, jobs)):
        with page.expect_response("**/batteries?limit=20"):
            lists[place].fulfill(json={"jobs": rest})
        page.wait_for_timeout(100)
        expect(page.locator("#jobs li")).to_have_count(1)
