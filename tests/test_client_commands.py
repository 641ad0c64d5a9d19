"""The commands that ask a running service, and the documentation of the client, against a real service."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

import probes
from runtime.cli import app
from runtime.client import Client, Patience, Refused
from runtime.remote_inputs import given
from tests.fakes_service import ROOT, Server, serving

TEXT = "the minister lost the vote"
PAGE = (ROOT / "docs" / "client.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def server(served_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(served_folder, tmp_path_factory.mktemp("log") / "log.txt") as started:
        yield started


def call(*words: str, text: str | None = None) -> Result:
    return CliRunner().invoke(app, [*words], input=text)


def test_predict_takes_texts_from_anywhere(server, tmp_path):
    shown = call("predict", "the minister", "Der Arzt", "--url", server.url, "--robustness", "2")
    assert shown.exit_code == 0 and "politics" in shown.output and "flip rate" in shown.output
    lines = "the minister\n\nthe football\n" + "the doctor\n" * 40
    (tmp_path / "texts.txt").write_text(lines, encoding="utf-8")
    piped = call("predict", "--url", server.url, "--json", text=lines)
    read = call("predict", "--url", server.url, "--json", "--data", str(tmp_path / "texts.txt"))
    assert piped.output == read.output
    found = [json.loads(line) for line in piped.output.splitlines()]
    assert [one["scores"][0]["label"] for one in found] == ["politics", "sports"] + ["health"] * 40
    example = {"id": "1", "text": "the vote", "pair": "the match", "lang": "en"}
    (tmp_path / "pairs.jsonl").write_text(json.dumps(example) + "\n", encoding="utf-8")
    refused = call("predict", "--url", server.url, "--data", str(tmp_path / "pairs.jsonl"), "--model", "nobody")
    assert refused.exit_code == 2 and refused.output.startswith("error: POST ") and refused.output.count("\n") == 1


def test_every_documented_number_of_variants_can_be_asked_for(server):
    """However many texts there are, a request is of no more than the service takes with their variants."""
    texts = "".join(f"the minister {number}\n" for number in range(20))
    found = call(
        "predict", "--url", server.url, "--json", "--robustness", "64", "--seed", "3", "--lang", "de", text=texts
    )
    assert found.exit_code == 0, found.output
    cards = [json.loads(line)["card"] for line in found.output.splitlines()]
    assert [(card["variants"], card["language"]["lang"]) for card in cards] == [(64, "de")] * 20


def test_a_language_may_be_named_where_no_variants_are_asked_for(server):
    found = call("predict", "the minister", "--url", server.url, "--json", "--lang", "en")
    assert found.exit_code == 0 and json.loads(found.output)["card"] is None, found.output
    refused = call("predict", "the minister", "--url", server.url, "--seed", "1")
    assert refused.exit_code == 2 and "--robustness" in refused.output and refused.output.count("\n") == 1


def test_a_language_that_is_named_is_that_of_every_text(tmp_path):
    (tmp_path / "texts.jsonl").write_text('{"text": "Das Spiel", "lang": "en"}\n', encoding="utf-8")
    for texts, data, own in ((["Das Spiel"], None, ""), (None, str(tmp_path / "texts.jsonl"), "en")):
        assert [[one.lang for one in given(texts, data, lang)] for lang in (None, "de")] == [[own], ["de"]]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["predict", "a", "--data", "b"], "not both"),
        (["predict", "--data", "no/such.txt"], "cannot be read"),
        (["predict", "a", "--key-file", "no/such"], "the key cannot be read"),
        (["predict", "--data", "-"], "there are no texts"),
        (["predict", "a", "--url", "nowhere"], "nowhere is no address"),
        (["jobs", "show", "nope"], "status 404: There is no such job"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(server, words, said):
    found = call(*words, *([] if "--url" in words else ["--url", server.url]), text="")
    assert found.exit_code == 2 and said in found.output and "Traceback" not in found.output


def test_probe_and_its_exit_status(server):
    found = call("probe", TEXT, "--url", server.url, "--json")
    rows = json.loads(found.output)["rows"]
    assert found.exit_code == 0 and {row["lang"] for row in rows} == {"en"} and len(rows) >= 3
    assert call("probe", TEXT, "--url", server.url, "--fail-over", "1").exit_code == 0
    with Client(server.url) as client:
        told: list[tuple[int, int | None]] = []
        steps = [{"name": "drop", "perturbations": ["drop"], "strength": 1.0, "draws": 20}]
        probed = client.probe([TEXT], steps=steps, on_progress=lambda *of: told.append(of))
        kinds = [event.kind for event in client.probe_events([TEXT], steps=steps, seed=1)]
    assert probed.rows[0].flips > 0 and told[-1] == (20, 20)
    assert kinds[-1] == "result" and {"progress", "flip"} <= set(kinds)


def test_jobs_from_their_submission_to_their_deletion(server, tmp_path):
    url = ["--url", server.url]
    submit = ["jobs", "submit", TEXT, *url, "--same", "one", "--json"]
    [first], [again] = (json.loads(call(*submit, *more).output) for more in ([], ["--wait"]))
    assert first["id"] == again["id"] and again["state"] == "done" and again["progress"]["done"] > 0
    assert json.loads(call("jobs", "watch", first["id"], *url, "--json").output)[0]["state"] == "done"
    assert first["id"] in call("jobs", "list", "--state", "done", *url).output
    report = probes.Report.from_json(call("jobs", "result", first["id"], *url).output)
    assert report.outcomes and again["battery"] == "quick"
    out = tmp_path / "report.html"
    assert call("jobs", "result", first["id"], *url, "--format", "html", "--out", str(out)).exit_code == 0
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")
    late = call("jobs", "cancel", first["id"], *url)
    assert late.exit_code == 2 and "nothing to cancel" in late.output
    deleted = call("jobs", "delete", first["id"], *url)
    assert (deleted.exit_code, deleted.output) == (0, f"deleted: {first['id']}\n")
    gone = call("jobs", "show", first["id"], *url)
    assert gone.exit_code == 2 and "no such job" in gone.output


def test_a_job_that_is_cancelled_has_not_ended_well(server):
    with Client(server.url, patience=Patience(tries=1)) as client:
        steps = [{"name": "swaps", "perturbations": ["swap"], "strength": 0.5, "draws": 50}]
        texts = [f"{TEXT} {i}" for i in range(100)]
        job = client.jobs.submit(texts, steps=steps, languages=["en"] * 100)
        assert client.jobs.cancel(job.id).state == "cancelled"
        assert client.jobs.wait(job.id).state == "cancelled"
        with pytest.raises(Refused) as raised:
            client.jobs.result(job.id)
        assert (raised.value.status, raised.value.code) == (409, "not_done")
    found = call("jobs", "watch", job.id, "--url", server.url)
    assert found.exit_code == 1 and f"failed: job {job.id} is cancelled" in found.output


@pytest.mark.parametrize("code", re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE))
def test_the_documentation_does_what_it_says(server, code):
    exec(compile(code.replace("http://127.0.0.1:3000", server.url), "client.md", "exec"), {"__name__": "client.md"})
