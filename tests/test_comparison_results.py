"""What an arm changes: paired gaps by language, worst languages, families of tests, costs, drawings."""

from __future__ import annotations

import csv
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.statistics.significance import holm
from tests.fakes_evaluation import evaluation, judged
from training.comparison import plan, tuning
from training.comparison.cells import differences
from training.comparison.cost import Cost, remaining, spoken
from training.comparison.forest import forest
from training.comparison.results import MARGIN, against, judged_together, own
from training.evaluation import Difference, Evaluation, EvaluationError

ROWS = 60


def runs(shares: dict[str, dict[str, float]], seeds: int = 2) -> list[Evaluation]:
    """Evaluations in which the first so many of a part's texts are right, by language."""
    parts = [evaluation({lang: [number < share * ROWS for number in range(ROWS)] for lang, share in own.items()}, part)
             for part, own in shares.items()]  # fmt: skip
    whole = evaluation({}, provenance={"suite": "toys"})
    return [replace(whole, judged=tuple(one for part in parts for one in part.judged))] * seeds


def test_gaps_are_differences_of_the_means_that_they_name() -> None:
    rng = np.random.default_rng(1)

    def three(share: float) -> list[Evaluation]:
        return [evaluation({lang: list(rng.random(ROWS) < share) for lang in ("de", "en", "sw")}) for _ in range(3)]

    ours, theirs = three(0.8), three(0.6)
    found = against(ours, theirs, draws=4000)
    assert [(gap.part, gap.lang) for gap in found.languages] == [("clean", lang) for lang in ("de", "en", "sw")]
    for gap in (*found.languages, *found.means):
        langs = {"mean": ["de", "en", "sw"], "mean without English": ["de", "sw"]}.get(gap.lang, [gap.lang])
        known = [
            np.mean([one.right for run in arm for one in run.judged if one.lang in langs]) for arm in (ours, theirs)
        ]
        assert (gap.ours, gap.theirs) == pytest.approx(tuple(known))
        assert gap.difference.value == pytest.approx(known[0] - known[1])
        assert gap.difference.low < gap.difference.value < gap.difference.high
        assert gap.difference.n_items == ROWS * len(langs)
    assert [gap.adjusted for gap in found.languages] == holm([gap.difference.p for gap in found.languages])
    assert [gap.adjusted for gap in found.means] == holm([gap.difference.p for gap in found.means])
    assert found.robust is None, "no noisy or attacked part"
    assert not found.wins


def test_the_worst_language_is_each_arms_own_over_the_parts_with_most_languages() -> None:
    same = {"clean": {"de": 0.9, "en": 0.9}}
    ours = {"noisy:a": {"de": 0.7, "en": 0.8}, "attacked:b": {"de": 0.5, "en": 0.6}, "noisy:c": {"de": 0.0}}
    theirs = {"noisy:a": {"de": 0.6, "en": 0.4}, "attacked:b": {"de": 0.5, "en": 0.3}, "noisy:c": {"de": 1.0}}
    found = against(runs(same | ours), runs(same | theirs), draws=400)
    assert found.parts == ("noisy:a", "attacked:b")
    assert found.robust is not None
    assert found.robust.lang == "de / en"
    assert (found.robust.ours, found.robust.theirs) == pytest.approx((0.6, 0.35))
    assert found.robust.difference.value == pytest.approx(0.25)
    assert found.clean.difference.value == 0
    assert found.clean_kept


def test_verdicts_need_evidence_and_count_all_arms() -> None:
    base = {"clean": {"de": 0.5, "en": 0.9}, "noisy:a": {"de": 0.3, "en": 0.5}}
    better = {"clean": base["clean"], "noisy:a": {"de": 0.7, "en": 0.9}}
    costly = {"clean": {"de": 0.3, "en": 0.7}, "noisy:a": {"de": 0.7, "en": 0.9}}
    worse = {"clean": base["clean"], "noisy:a": {"de": 0.1, "en": 0.5}}
    arms = {"better": better, "costly": costly, "worse": worse, "same": base}
    alone = {name: against(runs(arm), runs(base), draws=1000) for name, arm in arms.items()}
    found = judged_together(alone)
    said = {name: one.robust.verdict for name, one in found.items() if one.robust}
    assert said == {"better": "better", "costly": "better", "worse": "worse", "same": "no difference shown"}
    assert {name for name, one in found.items() if one.wins} == {"better"}
    assert found["costly"].clean.verdict == "worse"
    assert found["costly"].clean.difference.low < -MARGIN
    gaps = [one.robust for one in found.values() if one.robust]
    assert [gap.adjusted for gap in gaps] == holm([gap.difference.p for gap in gaps])
    assert gaps[0].adjusted == pytest.approx(4 * gaps[0].difference.p)


def test_what_only_one_of_two_was_tried_on_is_left_out() -> None:
    def attacked(right: Sequence[bool], spent: Sequence[int]) -> Evaluation:
        rows = [judged("de", number, one, "attacked:a", status="out_of_budget" if number in spent else "held")
                for number, one in enumerate(right)]  # fmt: skip
        clean = [judged("de", number, True) for number in range(len(right))]
        return replace(evaluation({}), judged=(*clean, *rows))

    ours, theirs = attacked([True] * 6 + [False] * 4, [6, 7, 8, 9]), attacked([True] * 3 + [False] * 7, [0])
    found = against([ours], [theirs], draws=400)
    gap = next(one for one in found.languages if one.part == "attacked:a")
    assert (gap.ours, gap.theirs) == pytest.approx((1.0, 2 / 5))
    assert gap.difference.n_items == 5


def test_pairs_of_languages_are_told_by_the_language_of_the_text() -> None:
    shares = {"clean": {"de": 1.0, "en": 1.0, "zh-Hant": 1.0},
              "generalized": {f"{a}-{b}": 0.5 + 0.1 * (a == "zh-Hant") - 0.2 * (b == "en") + 0.2 * (a == b)
                              for a in ("de", "en", "zh-Hant") for b in ("de", "en", "zh-Hant")}}  # fmt: skip
    found = own(runs(shares)).accuracy["generalized"]
    assert found.names == ("de", "en", "zh-Hant")
    assert found.values[0] == pytest.approx([0.4, 0.5, 0.5])
    assert found.n == (2 * ROWS,) * 3


def test_arms_that_were_not_evaluated_alike_are_not_compared() -> None:
    right = {"de": [True, False]}
    with pytest.raises(EvaluationError, match="not evaluated alike"):
        against([evaluation(right)], [evaluation(right, seed=1)])


def test_costs_add_up_over_the_stretches_of_a_training(tmp_path: Path) -> None:
    path = tmp_path / "cost.json"
    assert Cost.read(path) == Cost()
    assert Cost().per_update is None
    Cost.read(path).trained(10, 5.0).write(path)
    Cost.read(path).trained(30, 15.0).write(path)
    cost = replace(Cost.read(path), evaluation=7.0)
    assert (cost.updates, cost.per_update) == (40, 0.5)
    assert cost.cell(100) == 57.0


def test_the_time_that_is_left() -> None:
    assert remaining({}, {"plain": 3}) is None
    assert remaining({"plain": [10.0, 12.0, 11.0]}, {"plain": 2}) == 22.0
    assert remaining({"plain": [10.0], "dear": [40.0]}, {"dear": 2, "new": 1}) == 80.0 + 25.0
    assert [spoken(seconds) for seconds in (12.3, 90, 3540, 3600, 8000)] == ["12 s", "2 min", "59 min", "1 h 00 min",
                                                                            "2 h 13 min"]  # fmt: skip


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=3),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
                    max_leaves=8)  # fmt: skip


@given(JSON, JSON)
def test_differences_are_found_exactly_where_there_are_some(one: object, other: object) -> None:
    assert not list(differences(one, one))
    assert bool(list(differences(one, other))) == (one != other)


def test_differences_are_named() -> None:
    before = {"recipe": {"stage": [{"epochs": 2}], "seed": 7}, "data": {"a": "1"}}
    now = {"recipe": {"stage": [{"epochs": 3}], "seed": 7}, "data": {"a": "1", "b": "2"}}
    assert list(differences(before, now)) == ["data.b", "recipe.stage[0].epochs"]


def test_a_forest_draws_every_difference_where_it_is() -> None:
    rows = [("<a> & b", Difference(0.02, 0.01, 0.03, 0.01, 10, 2)), ("c", Difference(-0.01, -0.03, 0.01, 0.4, 10, 2))]
    drawn = ET.fromstring(forest("Gaps", rows))
    dots = [float(one.attrib["cx"]) for one in drawn.iter("{http://www.w3.org/2000/svg}circle")]
    zero = next(float(one.attrib["x1"]) for one in drawn.iter("{http://www.w3.org/2000/svg}line"))
    assert dots[0] - zero == pytest.approx(2 * (zero - dots[1]), abs=0.2)
    text = "".join(drawn.itertext())
    assert "<a> & b" in text
    assert "+2.0 [+1.0, +3.0]" in text
    assert "10 texts, 2 seeds" in text
    assert ET.fromstring(forest("Nothing", [])) is not None


def test_plans_that_ship_cover_the_family() -> None:
    assert plan.names() == ("nli", "paraphrase", "topics")
    for name in plan.names():
        found = plan.load([name])
        assert found.arms[0].name == "plain"
        methods = {one for arm in found.arms for recipe in arm.candidates for one in recipe.stage[0].objective.names}
        assert {"plain", "adversarial", "random-perturbation", "augment", "consistency"} <= methods
        assert all(stage.patience == 0 for arm in found.arms for one in arm.candidates for stage in one.stage)


def test_the_plan_of_the_published_comparison_has_the_candidates_that_were_published() -> None:
    page = Path(__file__).parent.parent / "docs" / "results" / "nli" / "candidates.csv"
    with page.open(encoding="utf-8", newline="") as file:
        published = [(row["arm"], row["what"]) for row in csv.DictReader(file)]
    several = [arm for arm in plan.load(["nli"]).arms if len(arm.candidates) > 1]
    assert [(arm.name, what) for arm in several for what in arm.told_apart] == published


def test_a_trial_is_read_for_the_candidate_it_was_of(tmp_path: Path) -> None:
    path, trial = tmp_path / "candidate-1.json", tuning.Trial(0.9, 10, 0.7, 30)
    assert tuning.read(path, {"a": 1}) is None
    tuning.write(path, {"a": 1}, trial)
    assert tuning.read(path, {"a": 1}) == trial
    assert trial.score == pytest.approx(0.8)
    with pytest.raises(ValueError, match="is the trial of another a;"):
        tuning.read(path, {"a": 2})
