"""The page for everybody: names, contrast, tab order, phones, large letters, forced colours; and its screenshots."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.fakes_page import MARKS, Browser, Page, chromium, expect, loaded, page_service, read, ready, tab_to

pytestmark = MARKS
STATIC = Path(__file__).resolve().parent.parent / "service" / "page"
SENTENCE = "After the election everything in the town went quiet"
NAMED = {"button", "checkbox", "combobox", "textbox", "link", "progressbar", "grid", "dialog", "region", "listbox"}

# Pairs of text and what lies behind it whose contrast is below what WCAG 2 asks (4.5, or 3 for large letters).
CONTRAST = """() => {
  const paint = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (colour) => {
    paint.clearRect(0, 0, 1, 1); paint.fillStyle = colour; paint.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = paint.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, under) => top.slice(0, 3).map((value, i) => value * top[3] + under[i] * (1 - top[3])).concat(1);
  const behind = (element) => {
    if (!element) return rgba(getComputedStyle(document.documentElement).colorScheme === 'dark' ? '#000' : '#fff');
    const colour = rgba(getComputedStyle(element).backgroundColor);
    return colour[3] === 1 ? colour : over(colour, behind(element.parentElement));
  };
  const WEIGHT = [0.2126, 0.7152, 0.0722];
  const linear = (v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => [r, g, b].map((v) => linear(v / 255)).reduce((sum, v, i) => sum + v * WEIGHT[i], 0);
  const poor = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !element.checkVisibility({ visibilityProperty: true })) continue;
    const style = getComputedStyle(element), back = behind(element);
    const [a, b] = [light(over(rgba(style.color), back)), light(back)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    const words = walker.currentNode.textContent.trim().slice(0, 30);
    if (ratio < (large ? 3 : 4.5)) poor.push(`${words}: ${ratio.toFixed(2)} ${element.className}`);
  }
  return poor;
}"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with page_service(tmp_path_factory.mktemp("page")) as server:
        yield server.url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


def fill(page: Page) -> None:
    """Everything the page can show: a reading, its flips, a heat map."""
    ready(page)
    read(page, SENTENCE)
    page.click("#choose summary")
    page.click("#probe")
    expect(page.locator("#found")).to_contain_text("no longer")
    expect(page.locator("#probe")).to_be_visible()
    for place in range(3):
        page.locator("#variants summary").nth(place).click()
    page.click("#held summary")
    page.click("#run")
    expect(page.locator("#report-said")).to_contain_text("probed")


def test_every_control_has_a_name_and_every_reference_an_end(browser: Browser, address: str) -> None:
    with loaded(browser, address) as page:
        fill(page)
        nodes = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
        shown = [node for node in nodes if not node["ignored"] and node["role"]["value"] in NAMED]
        assert {"button", "checkbox", "combobox", "textbox", "grid"} <= {node["role"]["value"] for node in shown}
        assert [node for node in shown if not node.get("name", {}).get("value", "").strip()] == []
        broken: Any = page.evaluate(
            """() => ['for', 'aria-labelledby', 'aria-describedby'].flatMap(name =>
              [...document.querySelectorAll(`[${name}]`)].map(one => one.getAttribute(name))
                .filter(id => !document.getElementById(id)))"""
        )
        assert broken == []
        ids = page.evaluate("() => [...document.querySelectorAll('[id]')].map(one => one.id)")
        assert len(ids) == len(set(ids))
        levels = page.evaluate(
            "() => [...document.querySelectorAll('h1, h2, h3')]"
            ".filter(one => one.checkVisibility()).map(one => +one.tagName[1])"
        )
        assert levels[0] == 1 and levels.count(1) == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_letters_stand_out_in_both_themes(browser: Browser, address: str, scheme: str) -> None:
    with loaded(browser, address, color_scheme=scheme, reduced_motion="reduce") as page:
        fill(page)
        assert page.evaluate(CONTRAST) == []
        # every heat a cell can have, not only those of this report
        page.evaluate(
            """() => { const cell = document.querySelector('#heat td.cell:not(.unmeasured)'), row = cell.parentElement;
              for (let heat = 0; heat <= 1; heat += 0.02) for (const kind of ['', 'better']) {
                const one = cell.cloneNode(true); one.className = `cell ${kind}`;
                one.style.setProperty('--heat', heat); row.append(one); } }"""
        )
        assert page.evaluate(CONTRAST) == []
        page.locator("#heat td.cell:not(.unmeasured)", has_text="100").first.click()
        assert page.evaluate(CONTRAST) == []


def test_dark_is_dark_and_light_is_light(browser: Browser, address: str) -> None:
    def luminance(scheme: str) -> float:
        with loaded(browser, address, color_scheme=scheme) as page:
            colour: str = page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
        return sum(float(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(","))

    assert luminance("dark") < 150 < 600 < luminance("light")


def test_tab_goes_everywhere_shows_where_and_gets_out_again(browser: Browser, address: str) -> None:
    with loaded(browser, address) as page:
        fill(page)
        page.evaluate("() => { document.activeElement.blur(); window.scrollTo(0, 0); }")
        page.locator("body").evaluate("body => { body.tabIndex = -1; body.focus(); body.removeAttribute('tabindex'); }")
        seen: list[str] = []
        for _ in range(120):
            page.keyboard.press("Tab")
            found: Any = page.evaluate(
                """() => { const one = document.activeElement, style = getComputedStyle(one);
                  return one === document.body ? null : [one.id || one.className || one.tagName,
                    style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2]; }"""
            )
            if found is None:
                break
            assert found[1], f"the focus on {found[0]} cannot be seen"
            seen.append(found[0])
        else:
            raise AssertionError("the focus never leaves the page")
        assert seen[0] == "skip"
        order = ["demo", "text", "lang", "strength", "probe", "source", "battery", "run", "sort", "script", "download"]
        assert [name for name in seen if name in order] == order
        assert sum("cell" in name.split() for name in seen) == 1


def test_the_skip_link_leads_to_the_sentence(browser: Browser, address: str) -> None:
    with loaded(browser, address) as page:
        ready(page)
        page.keyboard.press("Tab")
        expect(page.locator(".skip")).to_be_in_viewport()
        page.keyboard.press("Enter")
        expect(page.locator("#text")).to_be_focused()


@pytest.mark.parametrize(("width", "letters"), [(320, 100), (360, 100), (800, 200)])
def test_nothing_sticks_out_at_any_width(browser: Browser, address: str, width: int, letters: int) -> None:
    with loaded(browser, address, viewport={"width": width, "height": 800}) as page:
        page.evaluate("letters => { document.documentElement.style.fontSize = `${letters}%`; }", letters)
        fill(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.locator("#heat td.cell:not(.unmeasured)", has_text="100").first.click()
        expect(page.locator("#drill")).to_be_visible()
        assert page.locator("#drill-body").evaluate("one => one.scrollWidth - one.clientWidth") <= 0
        assert page.locator("#close").bounding_box()["x"] < width  # type: ignore[index]


def test_forced_colours_and_less_motion_are_obeyed(browser: Browser, address: str) -> None:
    with loaded(browser, address, forced_colors="active", reduced_motion="reduce") as page:
        fill(page)
        cell = page.locator("#heat td.cell:not(.unmeasured)").first
        assert cell.evaluate("one => getComputedStyle(one).borderTopStyle") == "solid"
        assert (
            page.locator("#heat td.unmeasured").first.evaluate("one => getComputedStyle(one).borderTopStyle")
            == "dashed"
        )
        cell.click()
        assert page.locator("#drill").evaluate("one => getComputedStyle(one).animationName") == "none"
        assert page.locator(".bars .bar").first.evaluate("one => getComputedStyle(one).transitionDuration") == "0s"


def test_the_drill_down_gives_the_focus_back(browser: Browser, address: str) -> None:
    with loaded(browser, address) as page:
        fill(page)
        tab_to(page, "#heat td.cell")
        where = page.evaluate("document.activeElement.ariaLabel")
        page.keyboard.press(" ")
        assert page.evaluate("document.querySelector('#drill').contains(document.activeElement)")
        page.keyboard.press("Escape")
        assert page.evaluate("document.activeElement.ariaLabel") == where


def test_live_regions_speak_of_results_and_not_of_progress(browser: Browser, address: str) -> None:
    with loaded(browser, address) as page:
        ready(page)
        page.evaluate(
            """() => { window.said = []; for (const one of document.querySelectorAll('[aria-live], [role=alert]'))
              new MutationObserver(() => {
                const words = one.innerText.trim();
                if (words && words !== said.at(-1)) said.push(words);
              }).observe(one, { childList: true, subtree: true, characterData: true }); }"""
        )
        fill(page)
        said: list[str] = page.evaluate("said")
        assert said[0] == "The model says politics"
        assert len(said) == 4, said


def test_the_page_is_small_and_asks_nobody_else(browser: Browser, address: str) -> None:
    scripts = list(STATIC.glob("*.js"))
    assert sum(path.stat().st_size for path in scripts) < 62_464
    assert not [
        path.name
        for path in STATIC.iterdir()
        if "http://" in (text := path.read_text().replace("http://www.w3.org", "")) or "https://" in text
    ]
    with loaded(browser, address) as page:
        policy = page.request.get(address).headers["content-security-policy"]
        assert "script-src 'self';" in policy and "unsafe" not in policy
        ready(page)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("light", {"viewport": {"width": 1100, "height": 900}}),
        ("dark", {"viewport": {"width": 1100, "height": 900}, "color_scheme": "dark"}),
        ("phone", {"viewport": {"width": 360, "height": 740}, "device_scale_factor": 2}),
    ],
)
def test_screenshots_are_kept(
    browser: Browser, address: str, tmp_path: Path, name: str, options: dict[str, Any]
) -> None:
    """In the folder BABELPROOF_SCREENSHOTS names, for a person or for CI; else in one that goes with the test."""
    folder = Path(os.environ.get("BABELPROOF_SCREENSHOTS") or tmp_path)
    with loaded(browser, address, reduced_motion="reduce", **options) as page:
        fill(page)
        page.screenshot(path=folder / f"page-{name}.png", full_page=True)
        page.locator("#heat td.cell:not(.unmeasured)", has_text="100").first.click()
        page.screenshot(path=folder / f"drill-{name}.png")
    assert all((folder / f"{part}-{name}.png").stat().st_size > 5_000 for part in ("page", "drill"))
