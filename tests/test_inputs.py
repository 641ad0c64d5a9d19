"""What a recipe's data must have is checked before anything is trained: classes, labels and languages with rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes_training import write_recipe, write_set
from training import recipe
from training.inputs import gather


@pytest.mark.parametrize(
    ("stage", "test", "message"),
    [
        ('labels = ["health", "law", "sports"]', "", r"stage 'one': no training row has the label law; the rows have"),
        ('dev = ["pairs:test:de"]', "", r"stage 'one': \d+ rows have the label '\w+' \(the first: id test-0, de\)"),
        ("", 'data = ["pairs:test"]', r"which the model would not know; it learns health, sports"),
        ("", 'data = ["toy:test"]\nlanguages = ["de", "sw"]', r"test: no rows in sw; take them out of languages"),
        ('dev = ["toy:test:sw"]', "", r"toy:test:sw: no rows in sw; the languages there are de, en"),
    ],
)
def test_data_that_do_not_fit_are_refused(tmp_path: Path, stage: str, test: str, message: str) -> None:
    (tmp_path / "encoder").mkdir()
    (tmp_path / "encoder" / "config.json").write_text("{}")
    write_set(tmp_path / "toy", "train", 20)
    write_set(tmp_path / "toy", "test", 20, languages=("de", "en"))
    write_set(tmp_path / "pairs", "test", 20, languages=("de", "en"), pairs=True)
    lines = f'name = "one"\ndata = ["toy:train"]\n{stage}'
    plan = write_recipe(tmp_path / "toy.toml", tmp_path / "encoder", [lines], test=test)
    with pytest.raises(ValueError, match=message):
        gather(recipe.load(plan), tmp_path)


def test_where_the_rows_came_from_is_said(tmp_path: Path) -> None:
    (tmp_path / "encoder").mkdir()
    (tmp_path / "encoder" / "config.json").write_text("{}")
    write_set(tmp_path / "toy", "train", 20)
    plan = write_recipe(tmp_path / "toy.toml", tmp_path / "encoder", ['name = "one"\ndata = ["toy:train"]'])
    assert gather(recipe.load(plan), tmp_path).notes == (f"toy:train: 20 rows from toy/train.jsonl in {tmp_path}",)
