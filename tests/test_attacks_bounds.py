"""What an attack must leave alone, what it is after and on which side of a pair: the keys of an attack step."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes import languages, perturbations
from probes.battery import BatteryError, parse, run
from probes.render.grid import summary
from probes.report import Report
from probes.searching import accept, goals
from probes.searching.accept import near
from probes.searching.sides import joined, sides
from probes.text import splice
from probes.types import Edit, Example, Item
from tests.fakes import KeywordClassifier
from tests.fakes_probes import EXAMPLES, make_topics

STEP = {"name": "hunt", "perturbations": ["drop"], "kind": "attack", "attack": "greedy", "budget": 300, "strength": 1.0}
EN = languages.get("en")


def accepts(keys: dict[str, object], text: str, *edits: Edit) -> bool:
    [step] = parse({"steps": [STEP | keys]}).steps
    return accept.of(step, EN)(text, edits)


def hunt(model, *examples: Example, **keys: object) -> Report:
    return run(parse({"steps": [STEP | keys]}), model, examples)


@pytest.mark.parametrize(
    ("protect", "text", "spans"),
    [
        ("numbers", "In 2019 it cost 1,234.50 or ١٢٣.", ["2019", "1,234.50", "١٢٣"]),
        ("urls", "See https://a.org/b?c=1 or mail me@post.example today.", ["https://a.org/b?c=1", "me@post.example"]),
        ("names", "Later we met Anna Schmidt in Berlin. Then I left.", ["Anna Schmidt", "Berlin"]),
        ("names", "Потом приехала Мария Ивановна.", ["Мария Ивановна"]),
        ("text:won the cup", "They won the cup.", ["won the cup"]),
        (r"regex:#\w+", "It is #big here.", ["#big"]),
    ],
)
def test_protected_spans_are_not_edited_nor_written_beside(protect, text, spans):
    covered = set()
    for span in spans:
        start = text.index(span)
        covered |= set(range(start, start + len(span)))
    for i in range(len(text)):
        beside = bool({i - 1, i, i + 1} & covered)
        assert accepts({"protect": [protect]}, text, Edit(i, i + 1, "x")) is not beside, (i, text[i])
        inserted = bool({i - 1, i} & covered)
        assert accepts({"protect": [protect]}, text, Edit(i, i, "x")) is not inserted, (i, text[i])


def levenshtein(a: str, b: str) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row, above = [i], row
        for j, y in enumerate(b, 1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (x != y)))
    return row[-1]


WORD = st.text("abc", max_size=8)


@given(WORD, WORD, st.integers(0, 5))
def test_the_band_of_the_distance_is_wide_enough(a, b, most):
    assert near(a, b, most) == (levenshtein(a, b) <= most)


def test_distance_in_graphemes_and_in_words():
    text = "one two three"
    swap, two = Edit(0, 2, "no"), (Edit(0, 1, ""), Edit(4, 5, ""))
    assert accepts({"max_characters": 2}, text, swap) and not accepts({"max_characters": 1}, text, swap)
    assert accepts({"max_characters": 1}, text, Edit(4, 8, "twx ")), "the edit is long, the distance is not"
    family = "ab 👨‍👩‍👧 cd"
    assert accepts({"max_characters": 1}, family, Edit(3, 8, "")), "one grapheme of five code points"
    assert accepts({"max_words": 2}, text, *two) and not accepts({"max_words": 1}, text, *two)
    assert accepts({"max_words": 1}, text, Edit(0, 1, ""), Edit(1, 2, "")), "twice the same word"
    assert not accepts({"max_words": 1}, text, Edit(5, 5, " ")), "a split word is one replaced and one more"


def test_the_language_is_kept():
    text = "Die Mannschaft hat gestern gewonnen."
    english = (Edit(0, len(text) - 1, "The team won the game yesterday"),)
    assert accepts({}, text, *english) and not accepts({"keep_language": True}, text, *english)
    assert accepts({"keep_language": True}, text, Edit(4, 5, "n"))


def same_letters(before: str, after: str) -> float:
    return len(set(before) & set(after)) / len(set(before))


def test_a_similarity_is_plugged_in():
    keys = {"similarity": "tests.test_attacks_bounds:same_letters", "least_similarity": 0.6}
    assert accepts(keys, "abc", Edit(0, 1, "")) and not accepts(keys, "abc", Edit(0, 2, ""))
    assert accepts(keys | {"least_similarity": 0.3}, "abc", Edit(0, 2, ""))


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"goal": "targetted:a"}, "no goal is called 'targetted'; did you mean 'targeted'"),
        ({"goal": "targeted"}, "'targeted' is no goal"),
        ({"goal": "untargeted:x"}, "'untargeted:x' is no goal"),
        ({"goal": "confidence:1"}, "a share between 0 and 1"),
        ({"goal": "confidence:half"}, "'confidence:half' is no goal"),
        ({"protect": ["nubmers"]}, "no protected span is called 'nubmers'; did you mean 'numbers'"),
        ({"protect": ["regex:("]}, "is no regular expression"),
        ({"protect": "numbers"}, "protect must be a list of texts"),
        ({"max_characters": 0}, "max_characters must be a whole number of at least 1"),
        ({"max_words": True}, "max_words must be a whole number"),
        ({"keep_language": 1}, "keep_language must be true or false, not 1"),
        ({"similarity": "tests.test_attacks_bounds:STEP"}, "is no similarity: it cannot be called"),
        ({"least_similarity": 2}, "least_similarity must be a share"),
        ({"max_edits": 3}, "no key is called 'max_edits'"),
        ({"kind": "noise", "attack": None, "budget": None, "goal": "targeted:a"}, "goal belongs to a step of kind"),
        ({"kind": "noise", "attack": None, "budget": None, "max_words": 2}, "max_words belongs to a step of kind"),
        ({"kind": "noise", "attack": None, "budget": None, "field": "either"}, 'field = "either" belongs to a step'),
        ({"attack": "tests.test_attacks_bounds:STEP"}, "is no attack: it cannot be called"),
        ({"perturbations": ["code_mix:no/such/folder"]}, "there is no lexicon"),
    ],
)
def test_a_wrong_key_is_refused_by_name(keys, said):
    with pytest.raises(BatteryError, match=said):
        parse({"steps": [STEP | keys]})


@pytest.mark.parametrize(
    "keys",
    [
        {"similarity": "tests.test_attacks_bounds:same_letters"},
        {"protect": ["regex:(a+)+b"]},
        {"perturbations": ["code_mix:/etc"]},
        {"attack": "tests.test_attacks:not_an_attack_but_called_one"},
    ],
)
def test_a_step_from_outside_imports_and_reads_nothing(keys):
    with pytest.raises(BatteryError, match="not taken from here"):
        parse({"steps": [STEP | keys]}, plugins=False)
    parse({"steps": [STEP | {"goal": "targeted:a", "protect": ["text:b"]}]}, plugins=False)


def first_edit(item, label, edits, oracle, accept, rng):
    from probes.types import Attempt

    oracle([item, Item(splice(item.text, edits[:1]))])
    return Attempt(tuple(edits[:1]), True, oracle.queries)


def test_a_foreign_attack_that_breaks_a_constraint_has_not_succeeded():
    example, model = Example("x", Item("7team"), "en"), KeywordClassifier({"no": (), "yes": ("7team",)})
    foreign = {"attack": "tests.test_attacks_bounds:first_edit"}
    assert hunt(model, example, **foreign).outcomes[0].status == "fooled"
    assert hunt(model, example, **foreign, protect=["numbers"]).outcomes[0].status == "held"


def test_a_targeted_attack_wants_its_label_and_no_other():
    example = Example("x", Item("team zaz"), "en", "sports")
    model = KeywordClassifier({"other": (), "sports": ("team",), "health": ("zz",)})
    [lost] = hunt(model, example).outcomes
    assert (lost.status, lost.predicted_after, lost.goal) == ("fooled", "other", "untargeted")
    [found] = hunt(model, example, goal="targeted:health", attack="beam").outcomes
    assert (found.status, found.predicted_after, found.goal) == ("fooled", "health", "targeted:health")
    [kept] = hunt(model, Example("x", Item("team"), "en"), goal="targeted:health").outcomes
    assert kept.status == "held", "the label was lost, to another"
    [already] = hunt(model, example, goal="targeted:sports").outcomes
    assert already.status == "not_applicable"
    with pytest.raises(BatteryError, match=r"hunt: no label of the model is called 'helth'; did you mean 'health'"):
        hunt(model, example, goal="targeted:helth")


def test_confidence_falls_by_a_share_whoever_wins():
    model = KeywordClassifier({"other": (), "sports": ("team",)}, sharpness=1.0)
    example = Example("x", Item("team team team"), "en", "sports")  # 0.953, then 0.881, 0.731, 0.5
    for share, edits in (("0.05", 1), ("0.2", 2), ("0.47", 3)):
        [found] = hunt(model, example, goal=f"confidence:{share}").outcomes
        assert (found.status, len(found.edits)) == ("fooled", edits)
    [held] = hunt(model, example, goal="confidence:0.9").outcomes
    assert held.status == "held" and held.goal == "confidence:0.9"


@given(st.lists(st.floats(0.01, 1), min_size=3, max_size=3), st.sampled_from(["targeted:b", "confidence:0.4"]))
def test_the_view_loses_its_label_exactly_where_the_goal_is_reached(weights, said):
    clean = np.array([0.6, 0.1, 0.3], dtype=np.float32)
    answer = (np.array(weights) / sum(weights)).astype(np.float32)

    class Fixed:
        labels = ("a", "b", "c")

        def __call__(self, items):
            return np.stack([answer] * len(items))

    goal = goals.parse(said)
    view, label = goal.view(Fixed(), clean)
    [row] = view([Item("x")])
    assert row.sum() == pytest.approx(1)
    reached = goal.reached(answer, clean, Fixed.labels)
    assert reached == (int(row.argmax()) != label) or abs(float(row[0]) - 0.5) < 1e-6
    assert reached == (answer[1] > max(answer[0], answer[2]) if goal.target else answer[0] < 0.6 * clean[0])


def test_the_denominators_of_goals():
    steps = [STEP | {"name": "any"}, STEP | {"name": "sure", "goal": "confidence:0.01"}]
    report = run(parse({"steps": steps}), make_topics(), EXAMPLES)
    rows = {(row.lang, row.step): row for row in report.rows()}
    assert (rows["en", "any"].flips, rows["en", "any"].n) == (2, 2), "of the two texts that were right before"
    assert rows["en", "sure"].n == 2 and rows["en", "sure"].robust is None
    [english] = [row for row in report.rows(by=("lang",)) if row.lang == "en"]
    assert english.n == 2 and english.robust == rows["en", "any"].robust, "lost labels only"
    alone = run(parse({"steps": steps[1:]}), make_topics(), EXAMPLES)
    assert not any(row.measured for row in alone.rows(by=("lang",)))
    assert Report.from_json(report.to_json()) == report
    assert "sure flips where it reaches confidence:0.01" in summary(report) and "any flips" not in summary(report)


PAIR = Item("The team won.", "A team came.")


def test_both_sides_are_attacked_as_one():
    model = KeywordClassifier({"none": (), "yes": ("team",)}, sharpness=1.0)
    [both] = hunt(model, Example("p", PAIR, "en"), field="both").outcomes
    assert both.status == "fooled" and both.edits and both.pair_edits, "a team on each side"
    assert both.after == splice(PAIR.text, both.edits) and both.pair_after == splice(PAIR.pair, both.pair_edits)
    [either] = hunt(model, Example("p", PAIR, "en"), field="either").outcomes
    assert either.status == "held", "one side is not enough"
    for item, text, pair in (
        (Item("The team won.", "A doctor."), True, False),
        (Item("A doctor.", "The team won."), False, True),
    ):
        [found] = hunt(model, Example("p", item, "en"), field="either").outcomes
        assert found.status == "fooled" and (bool(found.edits), bool(found.pair_edits)) == (text, pair)
        assert found.queries <= 300
    [single] = hunt(model, Example("s", Item("The team won."), "en"), field="either").outcomes
    assert single.status == "fooled", "a text without a pair has one side"


@pytest.mark.parametrize("field", ["text", "pair", "both", "either"])
@pytest.mark.parametrize("attack", ["importance", "genetic", "charmer", "code-mix"])
def test_one_budget_for_both_sides(field, attack):
    model = KeywordClassifier({"none": (), "yes": ("e",)}, sharpness=0.1)
    [found] = hunt(model, Example("p", Item("e" * 30, "e" * 30), "en"), field=field, attack=attack, budget=20).outcomes
    assert found.status == "held" and found.queries <= 20 and len(model.seen) <= 21


def test_constraints_hold_on_each_side():
    whole = sides(PAIR, "both", lambda text: [Edit(0, 1, "")])
    assert [whole.item.text[edit.start : edit.end] for edit in whole.edits] == ["T", "A"]
    seen = []
    assert whole.accept(lambda text, edits: bool(seen.append((text, tuple(edits))) or 1))(whole.item.text, whole.edits)
    assert seen == [(PAIR.text, (Edit(0, 1, ""),)), (PAIR.pair, (Edit(0, 1, ""),))]
    one = sides(PAIR, "either", lambda text: [Edit(0, 1, "")])
    assert not one.accept(lambda text, edits: True)(one.item.text, one.edits)
    assert one.accept(lambda text, edits: True)(one.item.text, one.edits[1:])


def test_a_separator_that_the_texts_use_is_not_taken():
    item = Item("a\x1fb", "c\x1e")
    whole = joined(item, (), (Edit(0, 1, "x"),))
    assert whole.mark == "\x1d" and whole.apart(whole.edits) == ((), (Edit(0, 1, "x"),))
    seen: list[Item] = []

    class Seeing:
        labels = ("a",)

        def __call__(self, items):
            seen.extend(items)
            return np.ones((len(items), 1), dtype=np.float32)

    whole.view(Seeing())([whole.item])
    assert seen == [item]
    assert not joined(Item("\x1c\x1d", "\x1e\x1f"), (), (Edit(0, 1, "x"),)).edits, "no mark is left"


def test_code_mixing_takes_its_words_from_a_folder(tmp_path):
    german = {"provenance": {}, "words": {"team": [["Mannschaft", 0.8], ["Team", 0.9], ["Elf", 0.1]]}}
    (tmp_path / "de.json.gz").write_bytes(gzip.compress(json.dumps(german).encode()))
    (tmp_path / "zh.json").write_text(json.dumps({"words": {"team": [["队", 0.5]]}}), encoding="utf-8")
    probe = perturbations.get(f"code_mix:{tmp_path}")
    assert [edit.new for edit in probe("The Team won", EN)] == ["Mannschaft", "队"], "the best two, less the same word"
    assert list(probe("Die Elf gewann", languages.get("de"))) == [Edit(4, 7, "Team")]
    assert list(probe("我队赢", languages.get("zh"))) == [Edit(1, 2, "team")]
    assert not list(probe("L'équipe", languages.get("fr")))
    [found] = hunt(make_topics(), EXAMPLES[0], attack="code-mix", perturbations=[f"code_mix:{tmp_path}"]).outcomes
    assert found.status == "fooled" and "team" not in found.after and len(found.edits) == 1
    (tmp_path / "fr.json").write_text("[]", encoding="utf-8")
    with pytest.raises(ValueError, match=r"fr\.json is no lexicon"):
        list(perturbations.get(f"code_mix:{tmp_path}")("team", EN))
