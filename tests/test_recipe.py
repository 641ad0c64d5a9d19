"""Recipes: strict TOML, clear refusals, one digest for one meaning."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from training import methods, recipe
from training.data import Source
from training.tables import TableError

STAGE: dict[str, Any] = {"name": "one", "data": ["toy:train:en"]}


def made(stage: dict[str, Any] | None = None, **keys: Any) -> recipe.Recipe:
    return recipe.parse({"name": "toy", "stage": [STAGE | (stage or {})], **keys}, "toy.toml")


def test_shipped_recipes_load_and_name_every_licence() -> None:
    assert set(recipe.names()) >= {"topics", "nli", "paraphrase"}
    for name in recipe.names():
        plan = recipe.load(name)
        assert plan.name == name
        assert plan.description
        assert {source.set_name for source in plan.sources()} == set(plan.licences)
        assert all(stage.dev and stage.patience for stage in plan.stage), f"{name} never stops early"


def test_defaults_and_kinds() -> None:
    plan = made({"learning_rate": 1, "method": {"name": "augment", "form": "faithful"}})
    assert plan.stage[0].learning_rate == 1.0
    assert plan.stage[0].data == (Source("toy:train:en"),)
    assert plan.encoder == "models/encoder"
    assert plan.dropout == 0.0


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"enkoder": "x"}, r"toy\.toml: .*'enkoder'.*'encoder'"),
        ({"seed": "seven"}, r"toy\.toml: seed must be a whole number, not 'seven' \(str\)"),
        ({"seed": True}, r"seed must be a whole number"),
        ({"pooling": "max"}, r"pooling must be one of 'mean', 'pair', 'cls'"),
        ({"dropout": 1.5}, r"toy\.toml: dropout must be 0 up to 1"),
        ({"test": {"languages": 3}}, r"test: languages must be one of 'all', 'encoder'.* Or: .*must be a list"),
        ({"licences": {"toi": "MIT"}}, r"'toi'.*'toy'"),
        ({"stage": []}, r"at least one"),
        ({"stage": [STAGE, STAGE]}, r"stage names must differ: one, one"),
    ],
)
def test_recipe_refusals(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(TableError, match=message):
        recipe.parse({"name": "toy", "stage": [STAGE], **keys}, "toy.toml")


@pytest.mark.parametrize(
    ("stage", "message"),
    [
        ({"epoch": 3}, r"toy\.toml: stage\[0\]: .*'epoch'.*'epochs'"),
        ({"epochs": 0}, r"stage\[0\]: epochs must be at least 1, not 0"),
        ({"epochs": 1.5}, r"stage\[0\]: epochs must be a whole number, not 1\.5 \(float\)"),
        ({"data": "toy:train"}, r"stage\[0\]: data must be a list"),
        ({"data": [3]}, r"stage\[0\]: data\[0\]: expected a table"),
        ({"data": ["toy"]}, r"stage\[0\]: data\[0\]: .*'toy' is not SET:SPLIT"),
        ({"data": [{"source": "toy:train", "txt": "a"}]}, r"stage\[0\]: data\[0\]: .*'txt'.*'text'"),
        ({"data": ["sealed:train"]}, r"sealed data are for the last evaluation"),
        ({"data": ["file:../sealed/a.jsonl"]}, r"sealed data are for the last evaluation"),
        ({"head": "new"}, r"stage\[0\]: head must be one of 'keep', 'drop', not 'new'"),
        ({"patience": 2}, r"patience needs dev data"),
        ({"method": "augmented"}, r"stage\[0\]: no method is called 'augmented'; did you mean 'augment'"),
        ({"method": {"name": "augment", "copy": 3}}, r"options of the method 'augment': .*'copy'.*'copies'"),
        ({"method": "no.module:X"}, r"no module 'no'"),
        ({"method": []}, r"method must name at least one"),
        ({"method": [{"epsilon": 1.0}]}, r"method must name at least one"),
        ({"method": {"name": "adversarial", "epsilon": -1}}, r"epsilon .* above 0, not -1"),
    ],
)
def test_stage_refusals(stage: dict[str, Any], message: str) -> None:
    with pytest.raises(TableError, match=message):
        made(stage)


def test_missing_key_is_named() -> None:
    with pytest.raises(TableError, match=r"stage\[0\]: the key 'data' is missing"):
        recipe.parse({"name": "toy", "stage": [{"name": "one"}]}, "toy.toml")


def test_files_that_are_not_recipes(tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text("name = ")
    with pytest.raises(recipe.RecipeError, match=r"broken\.toml is not valid TOML"):
        recipe.load(broken)
    with pytest.raises(recipe.RecipeError, match=r"absent\.toml"):
        recipe.load(tmp_path / "absent.toml")
    with pytest.raises(recipe.RecipeError, match=r"'topic'.*'topics'"):
        recipe.load("topic")


def test_digest_is_of_the_meaning(tmp_path: Path) -> None:
    first = tmp_path / "a.toml"
    second = tmp_path / "b.toml"
    first.write_text('name = "toy"\nseed = 7\n[[stage]]\nname = "one"\ndata = ["toy:train"]\nlearning_rate = 1\n')
    second.write_text(
        '# said otherwise\nname = "toy"\n[[stage]]\ndata = [{source = "toy:train"}]\nname = "one"\nlearning_rate = 1.0'
    )
    assert recipe.load(first).digest() == recipe.load(second).digest()
    assert made().digest() != made({"epochs": 4}).digest()
    ways: list[Any] = ["augment", ["augment"], {"name": "augment"}, [{"name": "augment"}]]
    assert len({made({"method": way}).digest() for way in ways}) == 1


def test_r_drop_needs_dropout() -> None:
    method = {"name": "consistency", "perturbations": []}
    with pytest.raises(TableError, match=r"stage 'one': consistency needs dropout above 0"):
        made({"method": method})
    assert made({"method": ["augment", method]}, dropout=0.1).stage[0].objective.clean_weight == 1


def test_the_page_on_training_holds_a_recipe_and_every_key() -> None:
    page = (Path(__file__).parent.parent / "docs" / "training.md").read_text(encoding="utf-8")
    block = re.search(r"```toml\n(.*?)```", page, re.DOTALL)
    assert block is not None
    plan = recipe.parse(tomllib.loads(block[1]), "docs/training.md")
    assert plan.stage[0].method == ({"name": "augment", "form": "fresh", "clean": 0.5},)
    keys = [field.name for kind in (recipe.Recipe, recipe.Stage, recipe.Scoring) for field in fields(kind)]
    missing = [key for key in keys if not re.search(rf"`{key}`|^{key} = |^\[+{key}\]+", page, re.MULTILINE)]
    assert not missing
    assert all(f"| `{name}` |" in page for name in recipe.names())
    assert all(f"- `{name}`" in page for name in methods.names())
