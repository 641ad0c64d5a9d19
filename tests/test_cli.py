"""The babelproof command, from the outside: what it prints, writes and answers with."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from probes import battery, languages, perturbations
from probes.report import Report
from probes.types import Item
from runtime.cli import app
from runtime.remote import HttpClassifier
from runtime.targets import TargetError, open_classifier
from tests.fakes_encoder import build_encoder_folder
from tests.fakes_model import build_model_folder
from tests.fakes_probes import EXAMPLES, FakeServer, make_topics, serving, topics

ROOT = Path(__file__).parent.parent
MODEL = "tests.fakes_probes:make_topics"


@pytest.fixture
def data(tmp_path):
    file = tmp_path / "data.jsonl"
    rows = [{"id": e.id, "lang": e.lang, "text": e.item.text, "label": e.label} for e in EXAMPLES]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(file)


def call(*arguments: str, status: int = 0) -> str:
    found = CliRunner().invoke(app, arguments, env={"COLUMNS": "220", "TERM": "dumb"})
    assert found.exit_code == status, found.output
    assert "Traceback" not in found.output
    return found.output if status else found.stdout


def test_run_prints_the_table_and_writes_every_form(data, tmp_path):
    out = tmp_path / "report"
    said = call("run", "quick", "--model", MODEL, "--data", data, "--out", str(out))
    assert "German" in said and "typos" in said and "robust" in said
    assert sorted(path.name for path in out.iterdir()) == ["report.csv", "report.html", "report.json", "report.md"]
    report = Report.from_json((out / "report.json").read_text(encoding="utf-8"))
    assert report == battery.run(battery.load("quick"), make_topics(), EXAMPLES)


def test_run_as_json_is_the_report_alone(data):
    said = call("run", "quick", "--model", MODEL, "--data", data, "--lang", "en", "--limit", "2", "--json")
    report = Report.from_json(said)
    assert {outcome.example for outcome in report.outcomes} == {"en1", "en2"}


def test_a_report_is_run_again_from_its_file_alone(data, tmp_path):
    first, second = tmp_path / "one", tmp_path / "two"
    call("run", "quick", "--model", MODEL, "--data", data, "--out", str(first))
    call("run", str(first / "report.json"), "--model", MODEL, "--out", str(second))
    assert (first / "report.json").read_bytes() == (second / "report.json").read_bytes()


def test_run_against_an_address(data):
    with serving(FakeServer(make_topics())) as url:
        report = Report.from_json(call("run", "quick", "--model", url, "--data", data, "--json"))
    assert report.outcomes == battery.run(battery.load("quick"), make_topics(), EXAMPLES).outcomes


def test_run_stops_at_its_deadline(data):
    report = Report.from_json(call("run", "full", "--model", MODEL, "--data", data, "--deadline", "0", "--json"))
    assert report.truncated


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "quik", "--model", MODEL, "--data", "x.jsonl"], "did you mean 'quick'"),
        (["run", "quick", "--model", MODEL], "say with --data where the examples are"),
        (["run", "quick", "--model", MODEL, "--data", "none.jsonl"], "there is no data file none.jsonl"),
        (["run", "none.json", "--model", MODEL], "none.json cannot be read"),
        (["run", "quick", "--model", "no/such/folder", "--data", "DATA"], "there is no model folder 'no/such/folder'"),
        (["run", "quick", "--model", "tests.none:x", "--data", "DATA"], "there is no module 'tests.none'"),
        (["run", "quick", "--model", "tests.fakes_probes:none", "--data", "DATA"], "has no 'none'"),
        (["run", "quick", "--model", "tests.fakes_probes:not_a_classifier", "--data", "DATA"], "is no classifier"),
        (["run", "quick", "--model", MODEL, "--data", "DATA", "--lang", "fr"], "there are no examples in fr"),
        (["run", "quick", "--model", MODEL, "--data", "DATA", "--fail-under", "much"], "'much' is no bar"),
        (["list", "batterys"], "did you mean 'batteries'"),
        (["show", "homoglif"], "did you mean 'homoglyph'"),
        (["show", "none.json"], "cannot be read"),
        (["run", "quick", "--model", MODEL, "--data", "DATA", "--out", "DATA/below"], "the report cannot be written"),
        (["serve", "nowhere"], "there is no service here"),
    ],
)
def test_a_mistake_is_one_clear_line(arguments, said, data, tmp_path, monkeypatch):
    if arguments[0] == "serve":
        monkeypatch.chdir(tmp_path)
    output = call(*[argument.replace("DATA", data) for argument in arguments], status=2)
    lines = [line for line in output.splitlines() if line.strip()]
    assert len(lines) == 1 and lines[0].startswith("error: ") and said in lines[0]


def test_a_broken_model_folder_is_one_clear_line(data, tmp_path):
    (tmp_path / "model").mkdir()
    said = call("run", "quick", "--model", str(tmp_path / "model"), "--data", data, status=2)
    assert said.startswith("error: ") and "manifest.json" in said


def test_list_names_everything():
    found = json.loads(call("list", "--json"))
    assert [row["name"] for row in found["perturbations"]] == list(perturbations.names())
    assert [row["code"] for row in found["languages"]] == list(languages.codes())
    assert {row["name"] for row in found["batteries"]} == set(battery.names())
    chinese = next(row for row in found["languages"] if row["code"] == "zh")
    assert "case" in chinese["not applicable"]
    case = next(row for row in found["perturbations"] if row["name"] == "case")
    assert "de" in case["languages"] and "zh" not in case["languages"]
    said = call("list", "attacks")
    assert "greedy" in said and "homoglyph" not in said


def test_show_says_what_a_name_means():
    assert perturbations.describe("swap")[:20] in call("show", "swap")
    assert json.loads(call("show", "de", "--json"))["name"] == "German"
    assert "look-alikes" in call("show", "quick")
    assert "Rank words" in call("show", "importance")


def test_names_are_told_apart_whatever_their_kind():
    names = [*perturbations.names(), *battery.names(), *languages.codes(), "greedy", "importance"]
    assert len(names) == len(set(names))


def test_show_renders_a_saved_report(data, tmp_path):
    call("run", "quick", "--model", MODEL, "--data", data, "--out", str(tmp_path))
    saved = str(tmp_path / "report.json")
    assert "German" in call("show", saved)
    for form in ("md", "csv", "html", "json"):
        assert call("show", saved, "--format", form) == (tmp_path / f"report.{form}").read_text(encoding="utf-8")
    call("show", saved, "--format", "html", "--out", str(tmp_path / "again.html"))
    assert (tmp_path / "again.html").read_bytes() == (tmp_path / "report.html").read_bytes()


def test_doctor_looks_at_the_machine_and_the_model(tmp_path):
    folder = tmp_path / "model"
    build_model_folder(folder)
    found = {check["name"]: check for check in json.loads(call("doctor", "--model", str(folder), "--json"))}
    assert found["python"]["ok"] and found["onnxruntime"]["ok"] and found["model"]["ok"]
    (folder / "tokenizer.json").write_text("{}", encoding="utf-8")
    said = call("doctor", "--model", str(folder), status=1)
    assert "tokenizer.json" in said and "bad" in said


def bad_checks(program: str, *arguments: str) -> dict[str, dict[str, str]]:
    told = python("-c", f"import sys; {program}; from runtime.cli import app; app(sys.argv[1:])", "doctor", *arguments)
    assert told.returncode == 1, told.stderr
    return {check["name"]: check for check in json.loads(told.stdout) if check["ok"] is False}


def test_doctor_names_a_mix_of_wheels(tmp_path):
    metadata = tmp_path / "onnxruntime_gpu-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: onnxruntime-gpu\nVersion: 1.0\n")
    (metadata / "top_level.txt").write_text("onnxruntime\n")
    mixed = bad_checks(f"sys.path.append({str(tmp_path)!r})", "--json")["onnxruntime"]
    assert mixed["found"] == "onnxruntime and onnxruntime-gpu are both installed and overwrite one another"
    assert mixed["advice"].endswith("pip uninstall -y onnxruntime onnxruntime-gpu")


def test_without_onnx_runtime_the_commands_say_so(tmp_path):
    folder, without = build_model_folder(tmp_path / "model"), "sys.modules['onnxruntime'] = None"  # as Python marks it
    bad = bad_checks(without, "--model", str(folder), "--json")
    assert bad.keys() == {"onnxruntime", "model"} and "pip install onnxruntime" in bad["onnxruntime"]["advice"]
    assert all("onnxruntime cannot be imported" in check["found"] for check in bad.values())
    program = f"import sys; {without}; from runtime.cli import app; app(sys.argv[1:])"
    told = python("-c", program, "run", "quick", "--model", str(folder), "--data", "examples/demo.jsonl")
    assert told.returncode == 2 and told.stderr.startswith("error: onnxruntime cannot be imported"), told.stderr
    assert told.stderr.count("\n") == 1


def test_a_model_is_a_folder_an_address_or_an_object(tmp_path):
    build_model_folder(tmp_path / "model")
    opened = open_classifier(str(tmp_path / "model"))
    assert opened.labels[opened([Item("the doctor")]).argmax()] == "health"
    opened.close()
    assert isinstance(open_classifier("http://127.0.0.1:1"), HttpClassifier)
    assert open_classifier("tests.fakes_probes:topics") is topics
    with pytest.raises(TargetError, match=r"a folder, an http:// or https:// address, .*or module:attr"):
        open_classifier("nothing")


@pytest.mark.parametrize("command", [[], ["run"], ["list"], ["show"], ["doctor"], ["serve"], ["import"]])
def test_help_has_examples(command):
    said = call(*command, "--help")
    assert "babelproof " in said if command else "Commands" in said


def test_the_command_brings_neither_torch_nor_transformers():
    heavy = "{'torch', 'transformers', 'bentoml', 'onnxruntime'}"
    found = python("-c", f"import sys, runtime.cli; print(sorted({heavy} & set(sys.modules)))")
    assert (found.returncode, found.stdout.strip()) == (0, "[]")


def test_import_says_what_is_missing():
    without = "import sys; sys.modules['training.importing'] = None; from runtime.cli import app; app(sys.argv[1:])"
    found = python("-c", without, "import", "a", "--out", "b")
    assert found.returncode == 2 and "pip install -c constraints.txt -e '.[train]'" in found.stderr
    assert found.stderr.count("\n") == 1


def test_serve_hands_over_to_the_service():
    found = python("-m", "runtime.cli", "serve", "no/such/model")
    assert found.returncode == 2 and "no/such/model" in found.stderr and "Traceback" not in found.stderr


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, cwd=ROOT, timeout=120)


def test_import_makes_a_folder_that_runs(tmp_path):
    source, out = build_encoder_folder(tmp_path / "source"), str(tmp_path / "out")
    call("import", str(source), "--out", out, "--fp32", "--lang", "en", "--max-length", "32")
    made = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert (made["languages"], made["max_length"], made["onnx"]["precision"]) == (["en"], 32, "fp32")
    said = call("import", str(tmp_path), "--out", out, status=2)
    assert said.splitlines()[-1].startswith("error: ")
