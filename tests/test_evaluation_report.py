"""What the command leaves: tables with n everywhere, renderings that agree, several runs, refusals."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
import typer
from typer.testing import CliRunner

from tests.fakes_evaluation import LABELS, evaluation, row, write_rows
from training.evaluation.command import evaluate_command
from training.evaluation.outcomes import Radius
from training.evaluation.rendering import Report
from training.evaluation.resampling import Estimate
from training.evaluation.runs import Runs
from training.evaluation.summary import matrix_languages

SUITE = """
name = "toys"
[clean]
data = ["toys:test"]
[generalized]
data = ["toys:test"]
[[noisy]]
name = "typos"
battery = "quick"
steps = ["typos"]
[[attacked]]
name = "greedy"
battery = "adversarial"
steps = ["greedy"]
budget = 20
[radius]
grid = [0.25, 0.5]
draws = 4
"""
TABLES = {
    "averages",
    "clean",
    "calibration",
    "generalized",
    "generalized-averages",
    "noisy-typos",
    "attacked-greedy",
    "radius",
    "radius-correlation",
    "groups",
}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A suite and its data: six rows in English and German."""
    found = [row(lang, number, LABELS[number % 2]) for lang in ("en", "de") for number in range(6)]
    write_rows(tmp_path / "toys", "test", found)
    (tmp_path / "toys.toml").write_text(SUITE)
    return tmp_path


def call(*words: object) -> tuple[int, str, str]:
    app = typer.Typer()
    app.command()(evaluate_command)
    done = CliRunner().invoke(app, [str(word) for word in words])
    return done.exit_code, done.stdout, " ".join(done.stderr.split())


def run(place: Path, *more: object, model: object = "tests.fakes_evaluation:toy", out: str = "out") -> Path:
    folder = place / out
    common = ("--suite", place / "toys.toml", "--data", place, "--out", folder, "--draws", 100)
    code, _, error = call(model, *common, *more)
    assert code == 0, error
    return folder


def report(folder: Path) -> dict[str, dict[str, list[list[object]]]]:
    tables: dict[str, dict[str, list[list[object]]]] = json.loads((folder / "report.json").read_text())["tables"]
    return tables


def test_the_command_writes_every_table_in_every_form(place: Path) -> None:
    folder = run(place)
    assert set(report(folder)) == TABLES
    assert {path.stem for path in (folder / "tables").iterdir()} == TABLES
    markdown, page = (folder / "report.md").read_text(), (folder / "report.html").read_text()
    for table in report(folder).values():
        assert f"## {table['title']}" in markdown
        assert f">{table['title']}</h2>" in page
    assert {"generalized.svg", "evaluation-1.json.gz"} <= {path.name for path in folder.iterdir()}


def test_the_figures_are_those_of_the_fake(place: Path) -> None:
    found = report(run(place))
    clean = {str(line[0]): line[1] for line in found["clean"]["rows"]}
    assert clean["de German"]["value"] == pytest.approx(4 / 6)  # type: ignore[index]
    assert clean["en English"] == {"value": 1.0, "low": pytest.approx(0.6097, abs=1e-4), "high": 1.0, "n": 6}
    averages = {line[0]: line for line in found["averages"]["rows"]}
    assert averages["clean"][4] == "de"
    assert averages["clean"][6]["value"] == pytest.approx(2 / 6)  # type: ignore[index]
    matrix = {(line[0], other): cell for line in found["generalized"]["rows"]
              for other, cell in zip(("de", "en"), line[1:], strict=True)}  # fmt: skip
    assert matrix["en", "de"]["value"] == 1.0  # type: ignore[index]
    assert matrix["de", "en"]["value"] == pytest.approx(4 / 6)  # type: ignore[index]
    groups = {(line[0], line[1]): line[2] for line in found["groups"]["rows"]}
    assert groups["branch", "Germanic"] == "de en"
    radius = {str(line[0]): line[1] for line in found["radius"]["rows"]}
    assert radius["en English"]["n"] == 6  # type: ignore[index]


def test_every_estimate_says_its_n(place: Path) -> None:
    markdown = (run(place) / "report.md").read_text()
    estimates = re.findall(r"-?\d+\.?\d* \[[^]]*\](?: n=\d+)?", markdown)
    assert len(estimates) > 30
    assert all(" n=" in one for one in estimates)


def test_a_csv_has_value_low_high_and_n_in_columns_of_their_own(place: Path) -> None:
    with (run(place) / "tables" / "generalized.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [one["text \\ pair"] for one in rows] == ["de", "en"]
    assert float(rows[1]["de"]) == 1.0
    assert float(rows[1]["de low"]) < float(rows[1]["de high"])
    assert rows[1]["de n"] == "6"


def test_the_heat_map_has_a_square_for_every_pair_and_the_page_holds_it(place: Path) -> None:
    folder = run(place)
    drawing = (folder / "generalized.svg").read_text()
    titles = [node.text for node in ElementTree.fromstring(drawing).iter("{http://www.w3.org/2000/svg}title")]
    assert len(titles) == 4
    assert any(str(title).startswith("de-en: 66.7 %") and str(title).endswith("n = 6") for title in titles)
    page = (folder / "report.html").read_text()
    assert drawing.strip() in page
    assert not re.search(r'(?:src|href)="(?!#)', page)


def test_equal_calls_give_equal_bytes(place: Path) -> None:
    one, two = run(place, out="one"), run(place, out="two")
    names = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
    assert all((one / name).read_bytes() == (two / name).read_bytes() for name in names)


def test_several_models_are_the_seeds_of_one_method(place: Path) -> None:
    first = run(place, out="first")
    folder = run(place, first / "evaluation-1.json.gz", out="both")
    said = json.loads((folder / "report.json").read_text())
    assert "2 runs" in said["summary"]
    assert len(said["models"]) == 2
    assert said["tables"]["clean"]["rows"][0][1]["n"] == 6


def test_max_rows_and_json(place: Path) -> None:
    common = ("--suite", place / "toys.toml", "--data", place, "--out", place / "out", "--draws", 100)
    code, out, _ = call("tests.fakes_evaluation:toy", *common, "--max-rows", 2, "--json")
    assert code == 0
    assert json.loads(out)["tables"]["clean"]["rows"][0][1]["n"] == 2


def test_a_model_that_bears_no_noise_has_no_radius_table(place: Path) -> None:
    folder = run(place, model="tests.fakes_evaluation:quiet")
    assert set(report(folder)) == TABLES - {"radius", "radius-correlation"}
    assert "Robust radius: not measured" in (folder / "report.md").read_text()
    assert "Robust radius: not measured" not in (run(place, out="toy") / "report.md").read_text()


@pytest.mark.parametrize(
    ("model", "suite", "said"),
    [
        ("tests.fakes_evaluation:toy", "toy", "no suite is called 'toy'"),
        ("tests.fakes_evaluation:toy", "", "--suite says what to evaluate"),
        ("tests.fakes_evaluation:tory", "toys.toml", "tory"),
        ("no/such/folder", "toys.toml", "there is no model folder"),
        ("nowhere.json", "toys.toml", "no evaluation"),
        ("tests.fakes_evaluation:toy", "elsewhere.toml", "No suite file"),
    ],
)
def test_mistakes_are_one_red_line(model: str, suite: str, said: str, place: Path) -> None:
    path = place / suite if suite.endswith(".toml") else suite
    code, _, error = call(model, "--suite", path, "--data", place, "--out", place / "out")
    assert code == 1
    assert error.startswith("error:")
    assert said in error


def test_runs_on_other_rows_do_not_mix(place: Path) -> None:
    first = run(place, "--max-rows", 2, out="first")
    code, _, error = call(first / "evaluation-1.json.gz", "tests.fakes_evaluation:toy", "--suite", place / "toys.toml",
                          "--data", place, "--out", place / "out")  # fmt: skip
    assert code == 1
    assert "not evaluated alike" in error


def test_a_report_of_one_language_and_no_english() -> None:
    made = Report.of(Runs([evaluation({"sw": [True, False]}, radii=[Radius("sw", "r0", 0.5, False)])]), draws=100)
    rows = {table.name: table for table in made.tables}
    assert rows["averages"].rows[0][6] is None, "no gap without English"
    assert rows["radius-correlation"].rows == ((None,),)
    assert "not measured" in made.markdown()


def test_markdown_takes_names_as_text() -> None:
    assert "a\\|b\\*" in Report.of(Runs([evaluation({"sw": [True]}, model="a|b*")]), draws=100).markdown()


def test_matrix_languages_may_have_subtags() -> None:
    langs = ["de", "zh", "zh-Hant"]
    assert matrix_languages([f"{one}-{other}" for one in langs for other in langs]) == langs


def test_a_table_ends_with_its_means() -> None:
    found = Report.of(Runs([evaluation({"en": [True, False], "de": [True, True]})]), draws=100)
    clean = next(table for table in found.tables if table.name == "clean")
    assert [line[0] for line in clean.rows] == ["de German", "en English", "mean", "mean without English"]
    assert isinstance(clean.rows[2][1], Estimate)
    assert (clean.rows[2][1].value, clean.rows[2][1].n) == (0.75, 4)
