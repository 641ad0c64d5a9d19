"""docs/service.md says what the service does: its settings, codes, routes and examples."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path

import httpx

import runtime
from probes.steps import parse
from service.settings import PREFIX, Settings
from tests.fakes_interface import interface
from tests.fakes_model import build_model_folder

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "docs" / "service.md").read_text()


def test_every_setting_is_listed_with_its_default() -> None:
    listed = dict(re.findall(r"\| `BABELPROOF_(\w+)` \| `?([^`|]+?)`? \|", TEXT))
    inner = {"metrics_dir", "supervisor"}
    outer = [field for field in fields(Settings) if field.name not in inner]
    settings = {field.name.upper(): "none" if field.default in (None, "") else str(field.default) for field in outer}
    assert PREFIX == "BABELPROOF_"
    assert listed == settings


def test_every_refusal_is_listed() -> None:
    source = "".join(path.read_text() for path in (ROOT / "service").rglob("*.py"))
    used = set(re.findall(r'Refusal\(\s*\d+, "(\w+)"', source))
    used |= set(re.findall(r'"(missing_key|empty_inputs|wrong_type)"', source))
    used |= set(re.findall(r'DatabaseAway\("(\w+)"', source))
    table = TEXT.split("## Refusals")[1].split("## Settings")[0]
    assert used == set(re.findall(r"`(\w+)`", "\n".join(line for line in table.splitlines() if line.startswith("| "))))


async def test_routes_and_examples_work(tmp_path: Path) -> None:
    classifier = runtime.load(build_model_folder(tmp_path / "model"), threads=1)
    application = interface(classifier, Settings(state=tmp_path / "state"))
    for path in re.findall(r"`(?:GET|POST) (/[\w.]*)`", TEXT):
        assert path in application.routing.table
    examples = re.findall(r"curl localhost:3000(/\w+) -H 'Content-Type: application/json' -d '(.*?)'", TEXT, re.DOTALL)
    assert {path for path, _ in examples} == {"/predict", "/probe"}
    transport = httpx.ASGITransport(application)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        for path, body in examples:
            assert (await http.post(path, json=json.loads(body))).status_code == 200


def test_the_step_in_the_text_is_a_step() -> None:
    (steps,) = re.findall(r"`(\[\{\"name\".*?\}\])`", TEXT)
    assert parse({"steps": json.loads(steps)}).steps[0].draws == 5
