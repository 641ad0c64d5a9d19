"""The HTML of a report in a real browser: searched and walked by keyboard, opened at the flips of a cell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from probes import render
from probes.battery import load, run
from tests.fakes_page import MARKS, Browser, Page, chromium, expect, loaded
from tests.fakes_probes import EXAMPLES, make_topics

pytestmark = MARKS


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render.html(run(load("quick"), make_topics(), EXAMPLES)), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    with loaded(browser, address) as opened:
        yield opened


def test_the_search_finds_flips_and_escape_ends_it(page: Page) -> None:
    flips = page.locator(".flip")
    total = flips.count()
    assert total > 3
    page.keyboard.press("/")
    page.keyboard.type("typos")
    hits = page.locator(".flip:not([hidden])").count()
    assert 0 < hits < total
    expect(page.locator("#found")).to_have_text(f"{hits} of {total} flips")
    assert page.locator(".flip:visible").count() == hits, "what was found is open to be read"
    page.keyboard.type(" nothingofthekind")
    expect(page.locator("#found")).to_have_text(f"0 of {total} flips")
    page.keyboard.press("Escape")
    expect(page.locator("#found")).to_have_text("")
    assert page.locator("details[id][hidden]").count() == 0


def test_arrows_walk_the_heat_map_and_enter_opens_a_cell(page: Page) -> None:
    first = page.locator("td.cell a").first
    first.focus()
    row = first.evaluate("node => node.closest('tr').rowIndex")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    place = page.evaluate("(c => [c.closest('tr').rowIndex, c.cellIndex])(document.activeElement.closest('td'))")
    assert place[0] > row or place[1] > 1
    link = page.locator("td.cell a[href^='#']").nth(1)
    target = (link.get_attribute("href") or "#")[1:]
    link.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == target
    expect(page.locator(f"[id='{target}']")).to_be_visible()


def test_it_fits_a_phone(browser: Browser, address: str) -> None:
    with loaded(browser, address, viewport={"width": 360, "height": 740}) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
