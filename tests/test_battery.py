"""Batteries: what they may say, and what running them gives, worked out by hand."""

from __future__ import annotations

import random
import time
from dataclasses import replace

import pytest

from probes import battery
from probes.battery import BatteryError, load, parse, run
from probes.data import DataError
from probes.render.grid import summary
from probes.running.driver import DRAWS
from probes.statistics.flips import Flips, flips
from probes.text import splice
from probes.types import Example, Item
from tests.fakes import KeywordClassifier
from tests.fakes_probes import EXAMPLES, Failing, make_topics

STEP = {"name": "noise", "perturbations": ["drop"], "strength": 0.1}
ATTACK = STEP | {"name": "hunt", "kind": "attack", "attack": "greedy", "budget": 300, "strength": 0.2}


def battery_of(*steps: dict[str, object], seed: int = 1) -> battery.Battery:
    return parse({"steps": list(steps), "seed": seed})


@pytest.mark.parametrize("name", battery.names())
def test_shipped_batteries_load_and_run(name):
    found = load(name)
    assert found.name == name
    report = run(found, make_topics(), EXAMPLES)
    assert {outcome.step for outcome in report.outcomes} == {step.name for step in found.steps}
    assert not report.truncated


def test_these_batteries_ship():
    assert {"adversarial", "attacks", "full", "noise", "quick"} <= set(battery.names())
    assert {step.attack for step in load("adversarial").steps} == {"importance", "greedy"}
    assert len(load("noise").steps) >= 12


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({}, "steps must be a list"),
        ({"steps": [STEP], "sed": 1}, "no key is called 'sed'; did you mean 'seed'"),
        ({"steps": [STEP | {"strenght": 1}]}, "step 1: no key is called 'strenght'; did you mean 'strength'"),
        ({"steps": [{"name": "x"}]}, "step 1 says no perturbations"),
        ({"steps": [7]}, "step 1 is not a table"),
        ({"steps": [STEP | {"strength": 2}]}, "strength must be a share between 0 and 1, not 2"),
        ({"steps": [STEP | {"strength": True}]}, "strength must be a share"),
        ({"steps": [STEP | {"draws": 0}]}, "draws must be a whole number of at least 1"),
        ({"steps": [STEP | {"kind": "nois"}]}, "kind must be one of noise, attack"),
        ({"steps": [STEP | {"kind": []}]}, "kind must be one of noise, attack"),
        ({"steps": [STEP | {"field": "premise"}]}, "field must be one of text, pair, both, either"),
        ({"steps": [STEP | {"perturbations": []}]}, "perturbations is empty"),
        ({"steps": [STEP | {"perturbations": "drop"}]}, "perturbations must be a list of texts"),
        ({"steps": [STEP | {"perturbations": ["dorp"]}]}, r"step 1 \(noise\): no perturbation is called 'dorp'"),
        ({"steps": [STEP | {"budget": 10}]}, "budget belongs to a step of kind"),
        ({"steps": [ATTACK | {"budget": None}]}, "says which attack and with what budget"),
        ({"steps": [ATTACK | {"attack": "gredy"}]}, "no attack is called 'gredy'"),
        ({"steps": [ATTACK | {"draws": 2}]}, "an attack searches once"),
        ({"steps": [STEP, STEP]}, "two steps are called 'noise'"),
        ({"steps": [STEP], "seed": -1}, "seed must be a whole number"),
    ],
)
def test_a_wrong_battery_is_refused_by_name(found, said):
    with pytest.raises(BatteryError, match=said):
        parse(found)


def test_a_battery_from_outside_imports_nothing():
    outside = {"steps": [STEP | {"perturbations": ["os:system"]}]}
    with pytest.raises(BatteryError, match="'os:system' would import code"):
        parse(outside, plugins=False)


def test_a_battery_file_is_named_in_its_errors(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('[[steps]]\nname = "a"\nperturbations = ["drop"]\nstrnegth = 1\n', encoding="utf-8")
    with pytest.raises(BatteryError, match=r"mine\.toml: step 1: .*did you mean 'strength'"):
        load(file)
    file.write_text("steps = }", encoding="utf-8")
    with pytest.raises(BatteryError, match=r"mine\.toml: .*line 1"):
        load(file)
    with pytest.raises(BatteryError, match="did you mean 'quick'"):
        load("quik")
    with pytest.raises(BatteryError, match="there is no battery file"):
        load(tmp_path / "none.toml")


def test_noise_outcomes_say_what_happened():
    report = run(battery_of(STEP | {"draws": 3}), make_topics(), EXAMPLES)
    assert len(report.outcomes) == 3 * len(EXAMPLES)
    for outcome in report.outcomes:
        assert outcome.before == {e.id: e.item.text for e in EXAMPLES}[outcome.example]
        if outcome.status in ("held", "fooled"):
            assert outcome.after == splice(outcome.before, outcome.edits) != outcome.before
            word = {"sports": ("team", "Mannschaft"), "health": ("doctor", "Arzt"), "other": ("",)}[outcome.label]
            assert (outcome.status == "held") == any(w in outcome.after for w in word)
            assert (outcome.status == "held") == (outcome.predicted_after == outcome.label)
            assert outcome.queries == 1
    assert {o.status for o in report.outcomes if o.example == "en3"} == {"wrong_already"}
    assert {o.status for o in report.outcomes} == {"held", "fooled", "wrong_already"}


def test_noise_is_tried_on_what_is_wrong_already_and_counts_in_no_rate():
    texts = [
        Example("right", Item("The team won."), "en", "sports"),
        Example("heals", Item("The team lost."), "en", "other"),
        Example("wrong again", Item("The team came."), "en", "health"),
    ]
    report = run(battery_of({"name": "gone", "perturbations": ["drop"], "strength": 1.0}), make_topics(), texts)
    found = {o.example: (o.status, o.predicted_before, o.predicted_after, o.queries) for o in report.outcomes}
    assert found == {
        "right": ("fooled", "sports", "other", 1),
        "heals": ("wrong_already", "sports", "other", 1),
        "wrong again": ("wrong_already", "sports", "other", 1),
    }
    assert flips(report.outcomes) == Flips(harmful=1, healing=1, lateral=1, right=1, wrong=2)
    assert all(o.after == splice(o.before, o.edits) != o.before for o in report.outcomes)
    [row] = report.rows()
    assert (row.n, row.flips, row.dose) == (1, 1, next(o.dose for o in report.outcomes if o.example == "right"))
    assert (row.robust.value, row.robust.n, row.clean.value) == (0, 3, pytest.approx(1 / 3))


def test_probabilities_are_those_of_the_label():
    report = run(battery_of(ATTACK), make_topics(), EXAMPLES[:1])
    [outcome] = report.outcomes
    assert outcome.status == "fooled" and outcome.label == outcome.predicted_before == "sports"
    # one keyword at sharpness 2: e^2 / (e^2 + 2) = 0.787, and 1/3 without it
    assert (outcome.probability_before, outcome.probability_after) == (0.787, 0.3333)
    assert outcome.predicted_after == "other"


def test_without_a_gold_label_the_clean_prediction_is_the_label():
    unlabelled = [replace(example, label=None) for example in EXAMPLES]
    report = run(battery_of(STEP), make_topics(), unlabelled)
    assert not any(outcome.gold for outcome in report.outcomes)
    assert {o.example: o.label for o in report.outcomes}["en3"] == "sports"
    assert report.provenance["label_source"] == {"gold": 0, "model": len(EXAMPLES)}
    assert "wrong_already" not in {o.status for o in report.outcomes}


def test_what_does_not_apply_is_told_from_what_held():
    step = STEP | {"perturbations": ["case"], "strength": 1.0}
    report = run(battery_of(step), make_topics(), EXAMPLES)
    assert {o.lang: o.status for o in report.outcomes if o.lang == "zh"} == {"zh": "not_applicable"}
    nothing = run(battery_of(STEP | {"strength": 0}), make_topics(), EXAMPLES)
    assert {o.status for o in nothing.outcomes} == {"not_applicable"}


def test_a_short_text_is_drawn_for_until_it_is_edited():
    texts = [Example(f"e{i}", Item("abcd"), "en") for i in range(40)]
    report = run(battery_of(STEP | {"strength": 0.15}), make_topics(), texts)
    missed = sum(outcome.status == "not_applicable" for outcome in report.outcomes)
    assert DRAWS > 1 and missed <= 8, "0.6 edits are expected of one draw: one draw alone would miss 16 of 40"


def test_a_step_may_be_for_some_languages():
    report = run(battery_of(STEP | {"languages": ["de", "zh"]}), make_topics(), EXAMPLES)
    assert {o.lang for o in report.outcomes} == {"de", "zh"}
    assert battery.Step("x", ("drop",), languages=("zh",)).covers("zh-Hant")


PAIR = Example("p", Item("The team won.", "A doctor came."), "en")


def test_the_side_of_a_pair_that_is_edited():
    model = KeywordClassifier({"none": (), "both": ("doctor",)})
    for field, edited in (("text", (True, False)), ("pair", (False, True)), ("both", (True, True))):
        report = run(battery_of(STEP | {"field": field, "strength": 0.3}), model, [PAIR])
        [outcome] = report.outcomes
        assert (bool(outcome.edits), bool(outcome.pair_edits)) == edited
        assert outcome.after == splice(outcome.before, outcome.edits)
        assert outcome.pair_after == splice(outcome.pair_before, outcome.pair_edits)


def test_an_attack_on_the_pair_edits_the_pair():
    model = KeywordClassifier({"none": (), "yes": ("doctor",)})
    [outcome] = run(battery_of(ATTACK | {"field": "pair"}), model, [PAIR]).outcomes
    assert outcome.status == "fooled" and outcome.edits == () and outcome.after == PAIR.item.text
    assert outcome.pair_after is not None and "doctor" not in outcome.pair_after
    assert all(item.pair is not None and item.text == PAIR.item.text for item in model.seen)
    single = replace(PAIR, item=Item("no pair, a doctor"))
    [outcome] = run(battery_of(ATTACK | {"field": "pair"}), model, [single]).outcomes
    assert outcome.status == "not_applicable"


def test_an_attack_that_spends_its_budget_has_not_flipped_the_label():
    model = KeywordClassifier({"yes": ("e",), "no": ()}, sharpness=0.1)
    [outcome] = run(battery_of(ATTACK | {"budget": 20}), model, [Example("x", Item("e" * 60), "en")]).outcomes
    assert outcome.status == "held" and outcome.queries <= 20


def test_the_word_of_an_attack_is_not_taken():
    step = ATTACK | {"attack": "tests.test_battery:boaster"}
    [outcome] = run(battery_of(step), make_topics(), EXAMPLES[:1]).outcomes
    assert outcome.status == "held"


def boaster(item, label, edits, oracle, accept, rng):
    from probes.types import Attempt

    return Attempt((), True, 0)


def test_equal_runs_give_equal_reports_whatever_the_order_and_the_batch():
    chosen = battery_of(STEP | {"draws": 2}, ATTACK)
    first = run(chosen, make_topics(), EXAMPLES).to_json()
    shuffled = list(EXAMPLES)
    random.Random(3).shuffle(shuffled)
    assert run(chosen, make_topics(), shuffled).to_json() == first
    assert run(replace(chosen, seed=2), make_topics(), EXAMPLES).to_json() != first


def test_an_outcome_does_not_depend_on_what_else_is_run():
    alone = run(battery_of(ATTACK), make_topics(), EXAMPLES[:1]).outcomes
    among = run(battery_of(STEP, ATTACK, ATTACK | {"name": "again"}), make_topics(), EXAMPLES).outcomes
    assert [o for o in among if o.step == "hunt" and o.example == "en1"] == list(alone)


def test_past_the_deadline_the_rest_is_out_of_budget_and_every_language_was_seen():
    langs = ("en", "de", "fr")
    many = [Example(f"{lang}{i}", Item(f"The team {i} won."), lang, "sports") for lang in langs for i in range(40)]
    model = Failing(make_topics(), lambda call: time.sleep(0.3 if call == 2 else 0))
    report = run(battery_of(STEP, ATTACK), model, many, deadline=0.25)
    assert report.truncated and len(report.outcomes) == 2 * len(many)
    done = [o for o in report.outcomes if o.status != "out_of_budget"]
    assert {o.lang for o in done} == set(langs) and len(done) < len(report.outcomes)
    assert report.provenance["counts"]["out_of_budget"] == len(report.outcomes) - len(done)
    assert model.calls == 2


def test_no_time_at_all_is_an_answer_too():
    model = make_topics()
    report = run(battery_of(STEP, ATTACK), model, EXAMPLES, deadline=0)
    assert {o.status for o in report.outcomes} == {"out_of_budget"} and model.calls == 0
    assert not any(row.measured for row in report.rows())


def test_progress_counts_outcomes():
    said: list[tuple[int, int]] = []
    report = run(battery_of(STEP, ATTACK), make_topics(), EXAMPLES, progress=lambda *at: said.append(at))
    total = len(report.outcomes)
    assert said == [(done, total) for done in range(1, total + 1)]


def test_clean_texts_are_asked_once_and_noise_in_big_batches():
    model = make_topics()
    run(battery_of(STEP, STEP | {"name": "more"}, STEP | {"name": "still more"}), model, EXAMPLES)
    assert model.calls == 2
    assert len(model.seen) == len(set(model.seen))


def test_examples_that_cannot_be_probed_are_named():
    with pytest.raises(DataError, match="'en1'"):
        run(battery_of(STEP), make_topics(), [EXAMPLES[0], EXAMPLES[0]])
    with pytest.raises(DataError, match=r"example 'en1': .*'sport'.*did you mean 'sports'"):
        run(battery_of(STEP), make_topics(), [replace(EXAMPLES[0], label="sport")])


def test_the_provenance_names_everything_that_was_run():
    said = run(battery_of(STEP, seed=5), make_topics(), EXAMPLES).provenance
    assert said["seed"] == 5 and said["battery"]["steps"][0]["perturbations"] == ["drop"]
    assert said["classifier"] == {"labels": ["other", "sports", "health"], "type": "KeywordClassifier"}
    assert said["dataset"]["languages"] == {"de": 1, "en": 3, "zh": 1}
    other = run(battery_of(STEP, seed=5), make_topics(), EXAMPLES[1:]).provenance
    assert other["dataset"]["sha256"] != said["dataset"]["sha256"]
    assert {"babelproof", "numpy", "regex", "python"} <= said["versions"].keys()


def test_texts_that_stand_there_twice_are_said():
    twice = [Example(str(i), Item("The team won."), "en") for i in range(4)]
    report = run(load("quick"), make_topics(), [*twice, Example("0", Item("The team won."), "de")])
    assert report.provenance["dataset"]["repeated"] == 3 and "3 texts repeat others" in summary(report)
