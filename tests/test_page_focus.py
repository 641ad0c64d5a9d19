"""The page in a real browser: what is drawn anew while something runs leaves the focus where it was."""

from __future__ import annotations

from tests.fakes_page import MARKS, POLITICS, Page, expect, hold, job, read, release, tell, until, with_jobs

pytestmark = MARKS


def test_the_drill_down_gives_the_focus_back_to_a_cell_drawn_anew(page: Page) -> None:
    held = hold(page, "**/probe")
    page.click("#run")
    release(page, held, 0)
    until(page, lambda: len(held) == 2)
    page.locator("#heat td.cell").first.focus()
    page.keyboard.press("ArrowRight")
    where = page.evaluate("document.activeElement.ariaLabel")
    page.keyboard.press("Enter")
    expect(page.locator("#drill")).to_be_visible()
    release(page, held, 1)
    expect(page.locator("#heat tbody tr")).to_have_count(2)
    page.keyboard.press("Escape")
    expect(page.locator("#drill")).to_be_hidden()
    until(page, lambda: page.evaluate("document.activeElement.ariaLabel") == where)


def test_the_heat_map_keeps_its_stop_while_the_reader_is_elsewhere(page: Page) -> None:
    held = hold(page, "**/probe")
    page.click("#run")
    release(page, held, 0)
    until(page, lambda: len(held) == 2)
    page.locator("#heat td.cell").first.focus()
    page.keyboard.press("End")
    where = page.evaluate("document.activeElement.ariaLabel")
    page.focus("#sort")
    release(page, held, 1)
    expect(page.locator("#heat tbody tr")).to_have_count(2)
    expect(page.locator("#heat td[tabindex='0']")).to_have_attribute("aria-label", where)
    expect(page.locator("#sort")).to_be_focused()


def test_a_job_keeps_the_focus_from_its_queue_to_its_end(page: Page) -> None:
    jobs = [job("long", "queued")]
    events = with_jobs(page, jobs)
    line, cancel = page.locator("#jobs li"), page.get_by_role("button", name="Cancel: long")
    cancel.focus()
    jobs[0] = job("long", "running")
    tell(page, events, 0, jobs[0])
    until(page, lambda: len(events) == 2)
    expect(line).to_contain_text("running")
    expect(cancel).to_be_focused()
    jobs[0] = job("long", "done")
    tell(page, events, 1, jobs[0])
    expect(line).to_contain_text("done")
    expect(page.locator("#report-said")).to_have_text("The job “long” is done.")
    expect(line).to_be_focused()


def test_when_a_job_is_deleted_the_focus_stays_among_the_jobs(page: Page) -> None:
    jobs = [job("one", "done"), job("two", "done")]
    with_jobs(page, jobs)
    page.route("**/batteries/one?only=delete", lambda route: (jobs.pop(0), route.fulfill(status=204)))
    page.get_by_role("button", name="Delete: one").press("Enter")
    expect(page.locator("#jobs li")).to_have_count(1)
    expect(page.locator("#jobs li")).to_be_focused()


def half_probed(page: Page, said: str) -> None:
    """The first flips are there, the steps after them are held until `finish`.

    What is said is new each time: an answer that the service remembers has its flips at its end alone.
    """
    read(page, f"{POLITICS} {said}")
    held = hold(page, "**/probe")
    page.click("#probe")
    until(page, lambda: len(held) == 1)
    while not page.locator("#smallest button").count():
        more = len(held) + 1
        release(page, held, more - 2)
        until(page, lambda more=more: len(held) == more)  # type: ignore[misc]


def finish(page: Page) -> None:
    page.unroute("**/probe")  # which lets the held ones go on
    expect(page.locator("#found")).to_contain_text("no longer politics")


def test_what_was_opened_among_the_flips_stays_open_and_keeps_the_focus(page: Page) -> None:
    half_probed(page, "Once.")
    name = page.locator("#variants summary b").last.inner_text()
    line = page.locator("#variants > li").filter(has=page.get_by_text(name, exact=True))
    line.locator("summary").click()
    line.locator("button").first.focus()
    finish(page)
    expect(line.locator("details")).to_have_attribute("open", "")
    expect(line.locator("button").first).to_be_focused()
    expect(line.locator("summary .number")).to_contain_text(" of ")
    turned = line.locator(".variant").evaluate_all("all => all.map(one => one.dataset.changed)")
    assert len(turned) == len(set(turned))


def test_the_smallest_flip_keeps_the_focus_when_a_smaller_one_comes(page: Page) -> None:
    half_probed(page, "Twice.")
    page.locator("#smallest button").focus()
    finish(page)
    expect(page.locator("#smallest button")).to_be_focused()
