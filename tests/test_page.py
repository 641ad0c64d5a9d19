"""The page in a real browser: reading, flipping, the report, keyboard, phone, dark, right-to-left."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator

import pytest

from tests.fakes_model import build_model_folder
from tests.fakes_service import serving

pytest.importorskip("playwright", reason="playwright is not installed")
from playwright.sync_api import Browser, Page, expect, sync_playwright

expect.set_options(timeout=20_000)
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (CHROMIUM or chromium on the path)"),
]
SENTENCES = [
    ("en", "sports", "Nobody in the team wanted this match to end so early"),
    ("en", "politics", "After the election the minister asked for another vote"),
    ("de", "health", "Am Morgen kam der Arzt noch einmal zu uns"),
    ("ar", "politics", "انتهت election في المدينة مساء أمس"),
    ("pa", "sports", "ਕੱਲ੍ਹ ਰਾਤ ਅਸੀਂ ਇਕੱਠੇ ਮੈਚ ਦੇਖਿਆ"),
    ("zh", "sports", "昨天晚上我们一起看了足球比赛"),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("page")
    rows = [
        {"id": str(number), "lang": lang, "label": label, "text": text}
        for number, (lang, label, text) in enumerate(SENTENCES)
    ]
    (folder / "demo.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    model = build_model_folder(folder / "model")
    with serving(model, folder / "log.txt", workers=1, DEMO=str(folder / "demo.jsonl")) as server:
        yield server.url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The page, loaded; whatever it complained about or asked of others fails the test."""
    opened = browser.new_page()
    opened.set_default_timeout(20_000)
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("request", lambda request: None if request.url.startswith(address) else complaints.append(request.url))
    opened.goto(address)
    expect(opened.locator("#demo optgroup")).to_have_count(5)
    yield opened
    opened.close()
    assert complaints == []


def pick(page: Page, lang: str) -> None:
    value = page.locator(f'#demo option[lang="{lang}"]').first.get_attribute("value")
    page.select_option("#demo", value=value)
    expect(page.locator("#verdict")).to_be_visible()


def test_a_typed_sentence_gets_its_label_language_and_bars(page: Page) -> None:
    page.fill("#text", "Die Ministerin verlor die Wahl und trat danach sofort zurück")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#label")).to_have_text("politics")
    expect(page.locator("#spoken")).to_contain_text("German")
    expect(page.locator("#bars li")).to_have_count(3)
    expect(page.locator("#bars li").first).to_contain_text("politics")


def test_the_changes_that_flip_are_shown_letter_by_letter(page: Page) -> None:
    pick(page, "en")
    expect(page.locator("#label")).to_have_text("sports")
    page.fill("#text", "After the election everything in the town went quiet")
    page.click("button[type=submit]")
    expect(page.locator("#label")).to_have_text("politics")
    page.click("#probe")
    expect(page.locator("#found")).to_contain_text("no longer politics")
    expect(page.locator("#variants ins").first).to_be_visible()
    expect(page.locator("#variants .turn").first).to_contain_text("politics → sports")
    invisible = page.locator("#variants > li", has=page.locator("h3", has_text="invisible"))
    assert invisible.locator("ins .unseen").first.inner_text().startswith("U+")


def test_it_is_said_when_nothing_flips(page: Page) -> None:
    page.fill("#text", "Nothing at all was going on that day")
    page.click("button[type=submit]")
    page.click("#probe")
    expect(page.locator("#found")).to_contain_text("Nothing flips it")
    expect(page.locator("#variants li")).to_have_count(0)
    page.click("#held summary")
    expect(page.locator("#held li").first).to_contain_text("the true rate may be up to")


def test_text_is_never_read_as_markup(page: Page) -> None:
    page.fill("#text", "<img src=x onerror=alert(1)> election")
    page.click("button[type=submit]")
    expect(page.locator("#label")).to_have_text("politics")
    page.click("#probe")
    expect(page.locator("#found")).not_to_be_empty()
    assert page.locator("main img").count() == 0


def test_right_to_left_text_runs_right_to_left(page: Page) -> None:
    pick(page, "ar")
    direction = "element => getComputedStyle(element).direction"
    assert page.locator("#text").evaluate(direction) == "rtl"
    page.click("#probe")
    expect(page.locator("#variants .sentence").first).to_be_visible()
    assert page.locator("#variants .sentence").first.evaluate(direction) == "rtl"


def test_the_report_is_a_heat_map_that_can_be_read_by_keyboard(page: Page) -> None:
    page.click("#run")
    expect(page.locator("#run")).to_have_text("Probe again")
    expect(page.locator("#heat tbody tr")).to_have_count(5)
    expect(page.locator("#heat tbody th").first).to_have_text("Arabic")
    first = page.locator("#heat td.cell").first
    first.focus()
    expect(page.locator("#detail")).to_contain_text("Arabic, ")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#detail")).to_contain_text("Chinese, ")
    assert page.locator("#heat td.cell.unmeasured").count() > 0
    assert page.locator("#heat td.cell.few").count() > 0
    titles = page.locator("#heat td.cell:not(.unmeasured)").evaluate_all("cells => cells.map(cell => cell.title)")
    assert titles and all("flip, " in title and " to " in title for title in titles)
    page.reload()
    expect(page.locator("#heat tbody tr")).to_have_count(5)


def test_a_refusal_is_told(browser: Browser, address: str) -> None:
    page = browser.new_page()
    page.goto(address)
    page.route(f"{address}/predict", lambda route: route.abort())
    page.fill("#text", "election")
    page.click("button[type=submit]")
    expect(page.locator("#failure")).to_contain_text("does not answer")
    page.close()


@pytest.mark.parametrize("width", [320, 390, 1100])
def test_nothing_sticks_out_at_any_width(browser: Browser, address: str, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(address)
    pick(page, "de")
    page.click("#run")
    expect(page.locator("#run")).to_have_text("Probe again")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_dark_is_dark_and_light_is_light(browser: Browser, address: str) -> None:
    def luminance(scheme: str) -> float:
        page = browser.new_page(color_scheme=scheme)  # type: ignore[arg-type]
        page.goto(address)
        colour = page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
        page.close()
        return sum(float(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(","))

    assert luminance("dark") < 150 < 600 < luminance("light")
