"""The page of a small model in a real browser: a service with sentences in six scripts, Chromium, a loaded page."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

pytest.importorskip("playwright", reason="playwright is not installed")
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from tests.fakes_model import KEYWORDS, build_model_folder
from tests.fakes_service import Server, eventually, serving

expect.set_options(timeout=20_000)
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
__all__ = ["Browser", "Page", "Route", "expect"]
MARKS = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (CHROMIUM or chromium on the path)"),
]
WORDS = {"politics": ("انتخابات",), "health": ("หมอ",)}
SENTENCES = [
    ("en", "sports", "Nobody in the team wanted this match to end so early"),
    ("en", "politics", "After the election the minister asked for another vote"),
    ("de", "health", "Am Morgen kam der Arzt noch einmal zu uns"),
    ("ar", "politics", "شاهدنا انتخابات جديدة في المدينة مساء أمس"),
    ("pa", "sports", "ਕੱਲ੍ਹ ਰਾਤ ਅਸੀਂ ਇਕੱਠੇ ਮੈਚ ਦੇਖਿਆ"),
    ("th", "health", "เมื่อวานนี้ หมอ มาที่บ้านของเราอีกครั้ง"),
    ("zh", "politics", "昨天晚上 选举 结果很清楚"),
]

POLITICS = "After the election everything in the town went quiet"


@contextmanager
def page_service(folder: Path, **settings: str) -> Iterator[Server]:
    """A service of the small model with its own demo sentences."""
    rows = [
        {"id": str(n), "lang": lang, "label": label, "text": text} for n, (lang, label, text) in enumerate(SENTENCES)
    ]
    (folder / "demo.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    keywords = {label: (*words, *WORDS.get(label, ())) for label, words in KEYWORDS.items()}
    model = build_model_folder(folder / "keywords", keywords=keywords)
    told = {"DEMO": str(folder / "demo.jsonl"), "STATE": str(folder / "state"), **settings}
    with serving(model, folder / "log.txt", workers=1, **told) as server:
        eventually(lambda: _awake(server))
        yield server


def _awake(server: Server) -> bool:
    """Let the prober have its turn on a machine that others keep busy; whether it answers."""
    for worker in server.workers():
        for prober in Path(f"/proc/{worker}/task/{worker}/children").read_text().split():
            for thread in Path(f"/proc/{prober}/task").iterdir():
                with suppress(OSError):
                    os.sched_setscheduler(int(thread.name), os.SCHED_OTHER, os.sched_param(0))
                    os.setpriority(os.PRIO_PROCESS, int(thread.name), 0)
    try:
        found = httpx.post(f"{server.url}/probe", json={"texts": ["warm"], "battery": "quick"}, timeout=5)
    except httpx.TimeoutException:
        return False
    return found.status_code == 200


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


@contextmanager
def loaded(browser: Browser, address: str, *, errors: bool = False, **options: Any) -> Iterator[Page]:
    """The page, loaded; what it complains about or asks of other hosts fails the test, unless errors are expected."""
    context = browser.new_context(**options)
    page = context.new_page()
    page.set_default_timeout(20_000)
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda sent: None if sent.url.startswith((address, "blob:")) else complaints.append(sent.url))
    page.goto(address)
    yield page
    context.close()
    assert errors or complaints == []


def ready(page: Page) -> None:
    expect(page.locator("body[data-ready]")).to_be_attached()


def read(page: Page, text: str) -> None:
    """Type a sentence and have it read, by keyboard."""
    page.focus("#text")
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#verdict")).to_be_visible()


def tab_to(page: Page, selector: str, most: int = 60) -> None:
    """Press Tab until an element has the focus; fails when it cannot be reached."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{selector} is not reached by {most} tabs")


def sent(page: Page, path: str) -> list[dict[str, Any]]:
    """The bodies that the page posts to a path from now on."""
    bodies: list[dict[str, Any]] = []
    page.on("request", lambda asked: bodies.append(asked.post_data_json) if asked.url.endswith(path) else None)
    return bodies


def change(page: Page) -> None:
    page.click("#probe")
    expect(page.locator("#probe")).to_be_visible()
    expect(page.locator("#found")).not_to_contain_text("…")


def hold(page: Page, pattern: str) -> list[Route]:
    """The requests to a pattern from now on, each of which waits until the test lets it go on."""
    held: list[Route] = []
    page.route(pattern, lambda route: held.append(route))
    return held


def until(page: Page, true: Callable[[], bool]) -> None:
    """Wait, while the page goes on, until something is so."""

    def so() -> bool:
        page.wait_for_timeout(20)
        return true()

    eventually(so, 20)


def release(page: Page, held: list[Route], place: int) -> None:
    """Let a held request go on as soon as it is there."""
    until(page, lambda: len(held) > place)
    held[place].continue_()


def job(name: str, state: str) -> dict[str, Any]:
    """A job as the service lists it; its battery has its name."""
    about = {"model": "keywords", "texts": 7, "created": "2026-01-01T00:00:00Z", "error": None}
    return {"id": name, "battery": name, "state": state, "progress": {"done": 1, "wanted": 4}, **about}


def with_jobs(page: Page, jobs: list[dict[str, Any]]) -> list[Route]:
    """Load the page anew with these jobs, which the test may change, for the service's; their events are held."""
    row = {"lang": "en", "step": "swap", "measured": False, "total": 0, "clean": None}
    report = {"rows": [row], "outcomes": [], "provenance": {"battery": {"steps": [{"name": "swap"}]}}}
    page.route("**/batteries?limit=20", lambda route: route.fulfill(json={"jobs": jobs}))
    page.route("**/batteries/*/result", lambda route: route.fulfill(json=report))
    events = hold(page, "**/batteries/*/events")
    page.reload()
    ready(page)
    return events


def tell(page: Page, events: list[Route], place: int, told: dict[str, Any]) -> None:
    """End a held stream of a job, as soon as it is there, with one event."""
    until(page, lambda: len(events) > place)
    body = f"event: {told['state']}\ndata: {json.dumps(told)}\n\n"
    events[place].fulfill(content_type="text/event-stream", body=body)
