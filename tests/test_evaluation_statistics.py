"""Intervals over items and seeds, differences of methods, F1, calibration, radii."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.metrics import f1_score

from probes.statistics.intervals import wilson
from probes.statistics.significance import holm
from tests.fakes_evaluation import evaluation, judged
from training.comparison.results import against
from training.evaluation.outcomes import Evaluation, EvaluationError, Radius
from training.evaluation.resampling import Bootstrap, Difference, Estimate
from training.evaluation.runs import Runs
from training.evaluation.scoring import Scores, correlation


def scores(*evaluations: Evaluation, draws: int = 400, seed: int = 0) -> Scores:
    return Scores(Runs(evaluations), np.random.default_rng(seed), draws)


def some(found: Estimate | None) -> Estimate:
    assert found is not None
    return found


def width(found: Estimate | Difference) -> float:
    return found.high - found.low


def first(n: int, of: int) -> list[bool]:
    """The first n of so many right."""
    return [number < n for number in range(of)]


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_one_run_has_wilson_intervals(right: list[bool]) -> None:
    n = len(right)
    found = some(scores(evaluation({"en": right}), draws=10).accuracy("clean").of("en"))
    assert (found.value, found.n) == (sum(right) / n, n)
    assert (found.low, found.high) == pytest.approx(wilson(sum(right), n))


def test_the_bootstrap_spreads_like_the_binomial() -> None:
    found = scores(evaluation({"en": first(140, 200)}), draws=4000).accuracy("clean")
    assert found.values[1:, 0].std() == pytest.approx((0.7 * 0.3 / 200) ** 0.5, rel=0.1)
    assert found.values[0, 0] == 0.7


def test_seeds_that_differ_widen_the_interval() -> None:
    alike = [evaluation({"en": first(70, 100)}) for _ in range(3)]
    unlike = [evaluation({"en": first(n, 100)}) for n in (50, 70, 90)]
    narrow, wide = (some(scores(*runs).accuracy("clean").of("en")) for runs in (alike, unlike))
    assert [narrow.value, wide.value] == pytest.approx([0.7, 0.7])
    assert width(wide) > 1.3 * width(narrow)
    assert width(narrow) == pytest.approx(width(some(scores(alike[0]).accuracy("clean").of("en"))), rel=0.15)
    assert wide.n == 100


def test_runs_that_are_right_on_other_texts_narrow_it() -> None:
    rng = np.random.default_rng(1)
    runs = [evaluation({"en": list(rng.permutation(first(70, 100)))}) for _ in range(5)]
    several, single = (some(scores(*own).accuracy("clean").of("en")) for own in (runs, runs[:1]))
    assert width(several) < 0.8 * width(single)


def test_several_runs_all_right_still_leave_doubt() -> None:
    found = scores(*[evaluation({"en": [True] * 20, "de": [True] * 20}) for _ in range(3)]).accuracy("clean")
    assert some(found.of("en")).low == pytest.approx(wilson(20, 20)[0])
    assert some(found.of("en")).low < some(found.mean()).low < 1


def test_items_of_one_id_are_drawn_together_in_all_languages() -> None:
    half = [number % 2 == 0 for number in range(100)]
    same = scores(evaluation({"en": half, "de": half})).accuracy("clean")
    opposite = scores(evaluation({"en": half, "de": [not one for one in half]})).accuracy("clean")
    assert width(some(opposite.mean())) == pytest.approx(0, abs=1e-9)
    assert width(some(same.mean())) == pytest.approx(width(some(same.of("en"))), rel=0.15)


def test_averages_with_and_without_english_the_gap_and_the_worst() -> None:
    found = scores(evaluation({"en": first(45, 50), "de": first(40, 50), "sw": first(20, 50)})).accuracy("clean")
    assert some(found.mean()).value == pytest.approx(0.7)
    assert some(found.mean({"de", "sw"})).value == pytest.approx(0.6)
    assert some(found.gap("en")).value == pytest.approx(0.3)
    assert some(found.mean()).n == 150
    name, worst = found.worst() or ("", Estimate(0, 0, 0, 0))
    assert (name, worst.value, worst.n) == ("sw", 0.4, 50)
    assert (worst.low, worst.high) == pytest.approx(wilson(20, 50, 1 - 0.05 / 3))
    assert width(worst) > width(some(found.of("sw")))


def test_the_lowest_true_value_may_be_that_of_another_language() -> None:
    found = scores(evaluation({"de": first(2, 4), "sw": first(90, 200)})).accuracy("clean")
    name, worst = found.worst() or ("", Estimate(0, 0, 0, 0))
    assert name == "sw"
    assert worst.low == pytest.approx(wilson(2, 4, 0.975)[0])
    assert worst.high == pytest.approx(wilson(90, 200, 0.975)[1])


def test_what_could_not_be_tried_is_in_no_rate() -> None:
    statuses = ["held", "fooled", "wrong_already", "not_applicable", "out_of_budget", "held"]
    found = [judged("de", number, status == "held", "noisy:a", status=status) for number, status in enumerate(statuses)]
    own = scores(replace(evaluation({}), judged=tuple(found)))
    assert some(own.accuracy("noisy:a").of("de")).n == 4
    assert some(own.accuracy("noisy:a").of("de")).value == 0.5
    assert some(own.clean_twins("noisy:a").of("de")).value == 0.75
    flips = some(own.flips("noisy:a").of("de"))
    assert (flips.value, flips.n) == (pytest.approx(1 / 3), 3)


def test_a_language_of_which_nothing_could_be_tried_was_not_measured() -> None:
    untried = [judged("zh", number, False, "noisy:a", status="not_applicable") for number in range(3)]
    tried = [judged("de", number, True, "noisy:a", status="held") for number in range(3)]
    for runs in (1, 2):
        found = scores(*[replace(evaluation({}), judged=(*untried, *tried))] * runs).accuracy("noisy:a")
        assert found.of("zh") is None
        assert some(found.mean()).value == 1


def test_several_draws_of_one_text_are_one_cluster() -> None:
    draws = [judged("de", number, number < 5, "noisy:a", status="held") for number in range(10)] * 4
    found = some(scores(replace(evaluation({}), judged=tuple(draws))).accuracy("noisy:a").of("de"))
    assert found.n == 40
    assert width(found) > 1.5 * (lambda ends: ends[1] - ends[0])(wilson(20, 40))


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1, max_size=20))
def test_macro_f1_is_that_of_scikit_learn(answers: list[tuple[str, str]]) -> None:
    found = [
        judged("en", number, gold == told, label=gold, predicted=told) for number, (gold, told) in enumerate(answers)
    ]
    value = some(scores(replace(evaluation({}), judged=tuple(found)), draws=5).macro_f1("clean").of("en")).value
    gold, told = zip(*answers, strict=True)
    expected = f1_score(gold, told, labels=sorted(set(gold)), average="macro", zero_division=0)
    assert value == pytest.approx(expected)


def test_calibration() -> None:
    confidences = [(0.95, True), (0.95, False), (0.55, True), (0.65, False)]
    found = [
        judged("en", number, right, confidence=confidence, brier=0.5 * right)
        for number, (confidence, right) in enumerate(confidences)
    ]
    own = scores(replace(evaluation({}), judged=tuple(found)))
    assert some(own.calibration_error("clean").of("en")).value == pytest.approx((0.9 + 0.45 + 0.65) / 4)
    assert some(own.brier("clean").of("en")).value == pytest.approx(0.25)
    assert some(own.brier("clean").of("en")).n == 4


def test_the_interval_of_a_calibration_error_takes_back_its_bias() -> None:
    rng = np.random.default_rng(0)
    found = [
        judged("en", number, bool(rng.random() < (sure := 0.5 + 0.49 * rng.random())), confidence=sure)
        for number in range(300)
    ]
    error = some(scores(replace(evaluation({}), judged=tuple(found))).calibration_error("clean").of("en"))
    assert error.low <= 0.02
    assert (error.low + error.high) / 2 < error.value


def radii(lang: str, values: list[float]) -> list[Radius]:
    return [Radius(lang, f"r{number}", value, value == 2) for number, value in enumerate(values)]


def test_the_median_radius_and_its_share_censored() -> None:
    own = scores(evaluation({"en": [True] * 4}, radii=radii("en", [0.1, 2.0, 0.5, 2.0])))
    radius, censored = own.radius(), own.censored()
    assert radius is not None and censored is not None
    assert some(radius.of("en")).value == 0.5
    assert (some(radius.of("en")).low, some(radius.of("en")).high) == (0.1, 2.0)
    assert some(censored.of("en")).value == 0.5
    bare = evaluation({"en": [True] * 4})
    assert scores(bare).radius() is None
    assert scores(bare, evaluation({"en": [True] * 4}, radii=radii("en", [0.1]))).radius() is None


def test_rank_correlation_is_that_of_scipy() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.random((2, 50, 6))
    found = correlation(Bootstrap(tuple("abcdef"), a, (9,) * 6), Bootstrap(tuple("abcdef"), b.round(1), (9,) * 6))
    expected = [spearmanr(x, y).statistic for x, y in zip(a, b.round(1), strict=True)]
    assert found.values[:, 0] == pytest.approx(expected)
    assert some(found.of("rho")).n == 6


def test_a_constant_radius_has_no_correlation() -> None:
    flat = Bootstrap(("a", "b"), np.ones((5, 2)), (9, 9))
    assert correlation(flat, Bootstrap(("a", "b"), np.random.default_rng(0).random((5, 2)), (9, 9))).of("rho") is None


def compared(a: list[Evaluation], b: list[Evaluation]) -> Difference:
    return against(a, b, draws=500).clean.difference


def test_a_method_does_not_differ_from_itself() -> None:
    runs = [evaluation({"en": first(n, 50), "de": first(n - 9, 50)}) for n in (30, 40)]
    assert compared(runs, runs) == Difference(0.0, 0.0, 0.0, 1.0, 100, 2)


def test_a_difference_is_that_of_the_means_and_turns_with_its_sides() -> None:
    rng = np.random.default_rng(2)
    a, b = ([evaluation({lang: list(rng.random(80) < rate) for lang in ("en", "de")}) for _ in range(3)]
            for rate in (0.8, 0.5))  # fmt: skip
    found, turned = compared(a, b), compared(b, a)
    means = [np.mean([one.right for run in runs for one in run.judged]) for runs in (a, b)]
    assert found.value == pytest.approx(means[0] - means[1]) == pytest.approx(-turned.value)
    assert (found.low, found.high) == pytest.approx((-turned.high, -turned.low))
    assert found.low > 0
    assert 2 / 501 < found.p < 0.05 and found.p == pytest.approx(turned.p), "three seeds allow no p so small"
    assert (found.n_items, found.n_seeds) == (160, 3)


def test_items_are_paired() -> None:
    rng = np.random.default_rng(4)
    right = list(rng.permutation(first(50, 100)))
    better = [one or number < 10 for number, one in enumerate(right)]
    moved = list(rng.permutation(better))
    paired = compared([evaluation({"en": better})], [evaluation({"en": right})])
    unpaired = compared([evaluation({"en": moved})], [evaluation({"en": right})])
    assert paired.value == pytest.approx(unpaired.value)
    assert width(paired) < 0.6 * width(unpaired)


def test_seeds_are_paired() -> None:
    ours = [evaluation({"en": first(n + 5, 100)}) for n in (40, 60, 80)]
    theirs = [evaluation({"en": first(n, 100)}) for n in (40, 60, 80)]
    assert width(compared(ours, theirs)) < 0.5 * width(compared(ours, theirs[::-1]))


def test_only_what_both_were_tried_on_is_compared() -> None:
    a = replace(evaluation({}), judged=tuple(judged("en", number, True) for number in range(6)))
    b = replace(evaluation({}), judged=tuple(judged("en", number, number > 2) for number in range(2, 9)))
    assert compared([a], [b]).n_items == 4
    assert compared([a], [b]).value == pytest.approx(1 / 4)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (evaluation({"en": [True]}, suite="others"), "not evaluated alike"),
        (evaluation({"en": [True]}, seed=1), "not evaluated alike"),
        (evaluation({"en": [True]}, provenance={"data": {"a": "b"}}), "not evaluated alike"),
        (replace(evaluation({}), judged=(judged("en", 7, True),)), "nothing was judged in both"),
    ],
)
def test_what_cannot_be_compared_is_refused(other: Evaluation, said: str) -> None:
    with pytest.raises(EvaluationError, match=said):
        compared([evaluation({"en": [True]})], [other])


def test_runs_are_compared_in_equal_numbers() -> None:
    one = evaluation({"en": [True, False]})
    with pytest.raises(EvaluationError, match="2 runs against 1"):
        compared([one, one], [one])


def test_holm() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_between_the_raw_p_and_bonferroni_and_keeps_the_order(found: list[float]) -> None:
    adjusted = holm(found)
    assert all(p <= q <= min(1, len(found) * p) + 1e-12 for p, q in zip(found, adjusted, strict=True))
    assert [adjusted[place] for place in np.argsort(found)] == sorted(adjusted)


def test_equal_generators_give_equal_intervals() -> None:
    run = evaluation({"en": first(6, 20), "de": first(9, 20)})
    first_, again, other = (scores(run, seed=seed).accuracy("clean").mean() for seed in (4, 4, 5))
    assert first_ == again != other
