"""What `--model` may name, each kind opened and asked."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from probes.battery import digest, load, run
from probes.types import Item
from runtime.predictions import PredictionError, PredictionFile
from runtime.targets import TargetError, open_classifier
from tests.fakes_probes import EXAMPLES

ROOT = Path(__file__).resolve().parent.parent
LINES = [
    {"text": "the team", "scores": {"sports": 0.9, "other": 0.1}},
    {"text": "the team", "text_pair": "won", "scores": {"other": 0.25, "sports": 0.75}},
]


def written(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def test_a_file_of_predictions_is_a_classifier(tmp_path):
    model = open_classifier(written(tmp_path / "mine.jsonl", *LINES))
    assert model.labels == ("sports", "other")
    answer = model([Item("the team", "won"), Item("the team")])
    assert np.allclose(answer, [[0.75, 0.25], [0.9, 0.1]])
    (tmp_path / "packed.jsonl.gz").write_bytes(gzip.compress((tmp_path / "mine.jsonl").read_bytes()))
    packed = open_classifier(str(tmp_path / "packed.jsonl.gz"))
    assert digest(packed) == digest(model) and isinstance(packed, PredictionFile)


def test_a_text_the_file_does_not_have_is_named(tmp_path):
    model = open_classifier(written(tmp_path / "mine.jsonl", *LINES))
    with pytest.raises(PredictionError, match=r'no prediction for 1 of 2 texts; .*"the taem"'):
        model([Item("the team"), Item("the taem")])


def test_a_battery_on_predictions_is_the_battery_on_the_model(tmp_path):
    from tests.test_runs import Known

    model, battery = Known(), load("noise")
    report = run(battery, model, EXAMPLES)
    rows = [
        {"text": item.text, "scores": dict(zip(model.labels, map(float, scores), strict=True))}
        for item, scores in zip(model.seen, model(model.seen), strict=True)
    ]
    again = run(battery, open_classifier(written(tmp_path / "mine.jsonl", *rows)), EXAMPLES)
    assert again.outcomes == report.outcomes


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("nothing", "line 3: not JSON"),
        ([], "line 3: .*was expected"),
        ({"text": "x"}, "line 3: .*was expected"),
        ({"text": "x", "scores": {"sports": 2, "other": -1}}, "sum to one; these are"),
        ({"text": "x", "scores": {"sports": 1.0}}, "the labels are sports, before sports, other"),
        ({"text": "x", "score": 1, "scores": {"sports": 1, "other": 0}}, "no column is called 'score'"),
        ({"text": "x", "text_pair": 1, "scores": {"sports": 1, "other": 0}}, "text_pair must be a text"),
        ({"text": "the team", "scores": {"sports": 1, "other": 0}}, "other scores before"),
    ],
)
def test_a_line_that_is_no_prediction_is_named(tmp_path, row, said):
    path = written(tmp_path / "mine.jsonl", *LINES)
    with open(path, "a", encoding="utf-8") as file:
        file.write(row if row == "nothing" else json.dumps(row))
    with pytest.raises(TargetError, match=said):
        open_classifier(path)


def test_a_hugging_face_folder_is_a_classifier(tmp_path):
    from tests.fakes_encoder import build_encoder_folder

    folder = build_encoder_folder(tmp_path / "mine")
    model = open_classifier(str(folder))
    assert model([Item("the team"), Item("a", "b")]).shape == (2, len(model.labels))
    first = digest(model)
    assert first == digest(open_classifier(str(folder)))
    (folder / "added.txt").write_text("x", encoding="utf-8")
    assert digest(open_classifier(str(folder))) != first


def test_a_folder_of_a_model_that_is_no_classifier_is_named(tmp_path):
    (tmp_path / "config.json").write_text('{"id2label": {"0": "a"}}', encoding="utf-8")
    with pytest.raises(TargetError, match="no classifier of one label out of several"):
        open_classifier(str(tmp_path))
    (tmp_path / "config.json").write_text("{", encoding="utf-8")
    with pytest.raises(TargetError, match="cannot be read"):
        open_classifier(str(tmp_path))


def test_without_torch_it_is_said_what_to_install(tmp_path):
    (tmp_path / "config.json").write_text('{"id2label": {"0": "a", "1": "b"}}', encoding="utf-8")
    program = (
        "import sys; sys.modules['torch'] = None\n"
        "from runtime.targets import open_classifier, TargetError\n"
        f"try: open_classifier({str(tmp_path)!r})\nexcept TargetError as error: print(error)"
    )
    found = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "pip install -c constraints.txt -e '.[train]'" in found.stdout and "babelproof import" in found.stdout
