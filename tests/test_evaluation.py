"""Running a suite: which rows are drawn and paired, how answers are judged, what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.data import DataError
from probes.types import Example, Item
from tests.fakes_evaluation import LABELS, Quiet, Toy, row, write_rows
from training.data import Source
from training.evaluation import rows, suite
from training.evaluation.measure import evaluate
from training.evaluation.outcomes import Evaluation, EvaluationError, Judged
from training.evaluation.radius import measure
from training.evaluation.suite import Attacked, Noisy, RadiusGrid, Rows, Suite
from training.tables import TableError

CLEAN = Rows((Source("toys:test"),))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Eight rows in English, German and French, labels alternating; one French row is missing, one disagrees."""
    found = [row(lang, number, LABELS[number % 2]) for lang in ("en", "de", "fr") for number in range(8)]
    found = [one for one in found if (one["lang"], one["id"]) != ("fr", "r3")]
    found[-1]["label"] = "no"
    write_rows(tmp_path / "toys", "test", found)
    noisy = [row("en", number, LABELS[number % 2]) for number in range(4)]
    noisy[1] |= {"text": "0.5 oh dear"}
    write_rows(tmp_path / "toys_noisy", "test", [*noisy, row("en", 99)])
    return tmp_path


def of(found: Evaluation, part: str, lang: str) -> list[Judged]:
    return sorted((one for one in found.judged if (one.part, one.lang) == (part, lang)), key=lambda one: one.id)


def test_clean_answers_are_judged_by_language(data: Path) -> None:
    found = evaluate(Toy(), Suite("toys", CLEAN), data)
    assert [one.right for one in of(found, "clean", "de")] == [bool(number % 4) for number in range(8)]
    assert all(one.right for one in of(found, "clean", "en"))
    second = of(found, "clean", "en")[1]
    assert second == Judged("clean", "en", "r1", True, "yes", "yes", 0.75, 0.75, "", 0.125)


def test_every_pair_of_languages_is_aligned_by_id(data: Path) -> None:
    toy = Toy()
    found = evaluate(toy, Suite("toys", CLEAN, generalized=CLEAN), data)
    assert len({one.lang for one in found.judged if one.part == "generalized"}) == 9
    assert [one.id for one in of(found, "generalized", "en-fr")] == ["r0", "r1", "r2", "r4", "r5", "r6"]
    assert Item("0.5 yes en words", "fr pair 5") in toy.asked
    assert Item("0.5 yes fr words", "en pair 5") in toy.asked
    assert found.provenance["generalized"] == {"languages": ["de", "en", "fr"], "disagreeing": 4}


def test_drawn_pairs_share_their_ids(data: Path) -> None:
    found = evaluate(Toy(), Suite("toys", CLEAN, generalized=replace(CLEAN, rows=3)), data, seed=5)
    ids = {lang: {one.id for one in found.judged if one.lang == lang} for lang in ("en-de", "fr-en", "de-de")}
    assert len(set(map(frozenset, ids.values()))) == 1
    assert len(ids["en-de"]) == 3
    assert not ids["en-de"] & {"r3", "r7"}
    assert found.provenance["generalized"]["disagreeing"] == 4


@pytest.mark.parametrize(
    ("examples", "said"),
    [
        ([Example("1", Item("a"), "en", "yes")], "single text"),
        ([Example("1", Item("a", "b"), "en", "yes"), Example("2", Item("a", "b"), "de", "yes")], "no ids are parallel"),
    ],
)
def test_what_is_not_parallel_cannot_be_paired(examples: list[Example], said: str) -> None:
    with pytest.raises(EvaluationError, match=said):
        rows.pairs(examples, None, 0)


@given(st.integers(0, 9), st.integers(1, 6), st.integers(1, 6))
def test_languages_share_their_rows_and_fewer_rows_are_the_first_of_more(seed: int, few: int, more: int) -> None:
    examples = [Example(str(number), Item("a"), lang) for lang in ("en", "de") for number in range(6)]
    ids = [
        {lang: [one.id for one in rows.chosen(examples, (), n, seed) if one.lang == lang] for lang in ("en", "de")}
        for n in (few, few + more)
    ]
    assert all(own["en"] == own["de"] for own in ids)
    assert ids[0]["en"] == ids[1]["en"][:few]
    assert len(ids[0]["en"]) == few


def test_another_seed_draws_other_rows() -> None:
    examples = [Example(str(number), Item("a"), "en") for number in range(50)]
    drawn = {tuple(one.id for one in rows.chosen(examples, (), 5, seed)) for seed in range(5)}
    assert len(drawn) == 5


def test_noisy_texts_are_compared_with_their_clean_twins(data: Path) -> None:
    noisy = Noisy("real", data=(Source("toys_noisy:test"),))
    found = evaluate(Toy(), Suite("toys", CLEAN, noisy=(noisy,)), data)
    assert {one.id: (one.right, one.status) for one in of(found, "noisy:real", "en")} == {
        "r0": (True, "held"),
        "r1": (False, "fooled"),
        "r2": (True, "held"),
        "r3": (True, "held"),
        "r99": (True, ""),
    }


def test_a_battery_makes_noise_out_of_the_clean_texts(data: Path) -> None:
    noisy = Noisy("typos", battery="quick", steps=("words",), languages=("de",), rows=6)
    found = evaluate(Toy(), Suite("toys", CLEAN, noisy=(noisy,)), data, seed=1)
    own = of(found, "noisy:typos", "de")
    assert len(own) == 6
    assert not of(found, "noisy:typos", "en")
    clean = {one.id: one.right for one in of(found, "clean", "de")}
    assert {one.id for one in own if one.status == "wrong_already"} == {one.id for one in own if not clean[one.id]}
    assert all(one.right == (one.status == "held") for one in own)
    assert found.provenance["batteries"]["noisy:typos"]["seed"] == 1
    assert [step["name"] for step in found.provenance["batteries"]["noisy:typos"]["steps"]] == ["words"]


def test_an_attack_has_the_budget_of_the_suite(data: Path) -> None:
    attacked = Attacked("greedy", "adversarial", budget=40, steps=("greedy",), rows=4)
    found = evaluate(Toy(), Suite("toys", CLEAN, attacked=(attacked,)), data)
    own = of(found, "attacked:greedy", "en")
    fooled = [one for one in own if one.status == "fooled"]
    assert {one.label for one in fooled} == {"yes"}, "a typo in the word yes is all it takes"
    assert all(one.predicted == "no" and one.gold == 0.125 and not one.right for one in fooled)
    assert [step["budget"] for step in found.provenance["batteries"]["attacked:greedy"]["steps"]] == [40]


def test_the_radius_is_the_last_norm_before_the_prediction_goes(data: Path) -> None:
    grid = RadiusGrid(grid=(0.15, 0.35, 0.5), draws=8)
    found = evaluate(Toy(), Suite("toys", CLEAN, radius=grid), data)
    radii = {one.id: (one.radius, one.censored) for one in found.radii if one.lang == "en"}
    expected = {0: 0, 1: 0, 2: 0.15, 3: 0.15, 4: 0.35, 5: 0.5, 6: 0.5, 7: 0.5}
    assert radii == {f"r{number}": (norm, norm == 0.5) for number, norm in expected.items()}


@pytest.mark.parametrize(("stable", "radius"), [(0.75, 1.0), (0.76, 0.0)])
def test_a_norm_holds_when_enough_draws_keep_the_prediction(stable: float, radius: float) -> None:
    texts = [Example("1", Item("0.5 yes"), "en", "yes")]
    grid = RadiusGrid(grid=(1.0,), draws=8, stable=stable)
    (found,) = measure(Toy(), texts, np.array([1]), grid, 0, lambda *_: None)
    assert found.radius == radius


def test_a_model_without_noise_has_no_radius(data: Path) -> None:
    assert evaluate(Quiet(), Suite("toys", CLEAN, radius=RadiusGrid(grid=(1.0,))), data).radii == ()


def test_no_text_is_asked_twice(data: Path) -> None:
    toy = Toy()
    noisy = Noisy("typos", battery="quick", steps=("typos",))
    evaluate(toy, Suite("toys", CLEAN, generalized=CLEAN, noisy=(noisy,)), data)
    assert len(toy.asked) == len(set(toy.asked))


def test_progress_reaches_its_end(data: Path) -> None:
    told: dict[str, tuple[int, int]] = {}
    plan = Suite("toys", CLEAN, generalized=CLEAN, radius=RadiusGrid(grid=(0.5, 1.0)))
    evaluate(Toy(), plan, data, progress=lambda part, done, total: told.update({part: (done, total)}))
    assert set(told) == {"clean", "generalized", "radius"}
    assert all(done == total for done, total in told.values())


@pytest.mark.parametrize("name", ["e.json", "e.json.gz"])
def test_equal_inputs_give_equal_files_that_are_read_back(name: str, data: Path, tmp_path: Path) -> None:
    plan = Suite("toys", CLEAN, noisy=(Noisy("typos", battery="quick"),), radius=RadiusGrid(grid=(0.3,)))
    files = [tmp_path / str(number) / name for number in (1, 2)]
    for file in files:
        evaluate(Toy(), plan, data, seed=3).write(file)
    assert files[0].read_bytes() == files[1].read_bytes()
    assert Evaluation.read(files[0]) == evaluate(Toy(), plan, data, seed=3)


@pytest.mark.parametrize("content", [b"", b"[]", b'{"format": "other"}', b"\x1f\x8b\x08"])
def test_a_file_that_is_no_evaluation_is_refused(content: bytes, tmp_path: Path) -> None:
    for name in ("e.json", "e.json.gz"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(EvaluationError, match="no evaluation"):
            Evaluation.read(tmp_path / name)


def test_a_label_the_model_lacks_is_named(data: Path) -> None:
    write_rows(data / "toys", "odd", [row("en", 1, "yes") | {"label": "yess"}])
    with pytest.raises(DataError, match="no label of the model is called 'yess'; did you mean 'yes'"):
        evaluate(Toy(), Suite("toys", Rows((Source("toys:odd"),))), data)


def test_a_language_without_data_is_named(data: Path) -> None:
    with pytest.raises(EvaluationError, match="no rows in sw; the languages there are en"):
        evaluate(Toy(), Suite("toys", replace(CLEAN, languages=("en", "sw"))), data)
    noisy = Noisy("typos", battery="quick", languages=("sw",))
    with pytest.raises(EvaluationError, match="no rows in sw"):
        evaluate(Toy(), Suite("toys", CLEAN, noisy=(noisy,)), data)


def test_known_languages_are_those_of_the_probes(data: Path) -> None:
    write_rows(data / "toys", "more", [row(lang, 1) for lang in ("en", "tlh")])
    found = evaluate(Toy(), Suite("toys", Rows((Source("toys:more"),), languages="known")), data)
    assert {one.lang for one in found.judged} == {"en"}


@pytest.mark.parametrize("name", suite.names())
def test_shipped_suites_load(name: str) -> None:
    found = suite.load(name)
    assert found.name == name
    assert found.description
    assert found.noisy and found.attacked and found.radius


def test_max_rows_limits_every_part() -> None:
    found = suite.load("nli").limited(7)
    assert found.clean.rows == found.noisy[0].rows == found.attacked[0].rows == 7
    assert found.generalized is not None and found.generalized.rows == 7
    assert found.radius is not None and found.radius.rows == 7
    assert found.limited(None) is found


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"clear": {}}, "did you mean 'clean'"),
        ({"clean": {"data": []}}, "at least one source"),
        ({"clean": {"data": ["toys:test"], "rows": 0}}, "rows must be at least 1"),
        ({"noisy": [{"name": "a"}]}, "either data or a battery"),
        ({"noisy": [{"name": "a", "battery": "quick", "steps": ["typo"]}]}, "did you mean 'typos'"),
        ({"noisy": [{"name": "a", "battery": "adversarial"}]}, "no step of kind noise"),
        ({"noisy": [{"name": "a", "battery": "quick"}] * 2}, "names of their own"),
        ({"attacked": [{"name": "a", "battery": "adversarial"}]}, "budget"),
        ({"attacked": [{"name": "a", "battery": "adversaria", "budget": 5}]}, "did you mean 'adversarial'"),
        ({"radius": {"grid": [0.2, 0.1]}}, "rising"),
        ({"radius": {"grid": [0.2], "stable": 1.5}}, "stable"),
    ],
)
def test_what_a_suite_says_wrong_is_named(more: dict[str, object], said: str) -> None:
    with pytest.raises(TableError, match=said):
        suite.parse({"name": "toys", "clean": {"data": ["toys:test"]}, **more}, "toys.toml")


def test_a_suite_that_does_not_exist_is_told_of_those_that_do() -> None:
    with pytest.raises(TableError, match="did you mean 'topics'"):
        suite.load("topic")
