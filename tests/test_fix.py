"""Defences: what they repair and leave alone, in every script; and the choice among them, worked out by hand."""

from __future__ import annotations

import json
import tomllib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from probes import defences, languages, noise
from probes.battery import parse
from probes.defences import Defended
from probes.fix import FixError, fix
from probes.render import fix as rendering
from probes.types import Example, Item
from tests.fakes import KeywordClassifier

TEXTS = {
    "en": "The team’s goal won it: 2–1 in London!\n\tThe end 👩‍👩‍👧 🏴󠁧󠁢󠁳󠁣󠁴󠁿",
    "ru": "Команда выиграла матч в Москве.",
    "el": "Η ομάδα κέρδισε τον αγώνα.",
    "ar": "فاز الفريق بالبطولة",
    "fa": "می‌خواهم بازی را ببینم",
    "hi": "टीम ने मैच जीता, क्‍या बात!",
    "th": "ทีมชนะการแข่งขัน",
    "ja": "チームが試合に勝った。",
    "vi": "Đội bóng đã thắng trận đấu.",
}
GENTLE = ("nfc", "obey-controls", "resolve-bidi", "strip-invisible", "repair-script")


def only(name: str, text: str) -> str:
    [repaired] = defences.get(name)(text)
    return repaired


@pytest.mark.parametrize("name", GENTLE)
def test_clean_texts_stay_as_they_are(name):
    for text in TEXTS.values():
        assert only(name, text) == text


@pytest.mark.parametrize(
    ("name", "probe", "langs"),
    [
        ("obey-controls", "backspace", ("en", "ru", "ar", "hi")),
        ("resolve-bidi", "reorder", ("en", "ru", "el", "ja")),
        ("strip-invisible", "invisible", ("en", "ru", "ar", "hi", "th", "ja")),
        ("strip-invisible", "tags", ("ru", "ar", "hi", "th")),
        ("nfkc", "width", ("ru", "vi")),
        ("nfc", "normal_form", ("vi", "ru", "el")),
    ],
)
def test_what_a_probe_does_is_undone(name, probe, langs):
    for lang in langs:
        text = TEXTS[lang]
        for seed in range(5):
            noisy = noise.perturb(text, languages.get(lang), [probe], 0.2, np.random.default_rng(seed))
            assert noisy != text or probe in ("width", "normal_form")
            assert only(name, noisy) == text, (lang, noisy)


def test_script_repair_and_skeleton():
    assert only("repair-script", "The tеam wоn in Lоndon") == "The team won in London", "Cyrillic е and о"
    assert only("repair-script", "М\u006f\u0063ква") == "Москва" and only("repair-script", "the mɑtch") == "the match"
    assert only("repair-script", "VW-Ж в iPhone") == "VW-Ж в iPhone", "words of one script each"
    assert only("skeleton", "раураl") == only("skeleton", "paypal") and only("skeleton", "tеam") == "team"


@given(st.text(max_size=30))
def test_any_text_is_taken(text):
    for name in defences.names():
        found = defences.get(name)(text)
        assert found and all(isinstance(one, str) for one in found)
        assert found == defences.get(name)(text)
    assert len(defences.get("vote")(text)) == 8


def test_defended_averages_what_is_asked_in_place_of_an_item():
    inner = KeywordClassifier({"a": ["x"], "b": ["y"]})
    defended = Defended(inner, ["strip-invisible", "vote"])
    item = Item("x\u200bx xx xxxxxxxxxxxx", "y y")
    [answer] = defended([item])
    assert 1 < len(inner.seen) <= 8 and all("\u200b" not in seen.text for seen in inner.seen)
    assert answer == pytest.approx(inner(defended._asked(item)).mean(axis=0))
    assert defended.identity == {"defences": ["strip-invisible", "vote"]} and defended([]).shape == (0, 2)


BATTERY = parse(
    {"name": "b", "seed": 3, "steps": [{"name": "unseen", "perturbations": ["invisible"], "strength": 0.4}]}
)
WORDS = (
    ("en", "matches", "sports"),
    ("en", "doctors", "health"),
    ("de", "Ärztin", "health"),
    ("de", "Torwart", "sports"),
)
EXAMPLES = [Example(f"{word}{i}", Item(f"{word} {i}"), lang, label) for lang, word, label in WORDS for i in range(8)]


def model() -> KeywordClassifier:
    return KeywordClassifier({"other": [], "sports": ["matches", "Torwart"], "health": ["doctors", "Ärztin"]})


def shout(text: str) -> tuple[str, ...]:
    """Take out what shows nothing, and umlauts with it."""
    return (only("strip-invisible", text).replace("Ä", "A"),)


def test_the_choice_gains_most_among_those_that_cost_little():
    found = fix(BATTERY, model(), EXAMPLES, [("nfc",), ("strip-invisible",), ("tests.test_fix:shout",)])
    nothing, strip, costly = found.trials
    assert nothing.gain == 0 and nothing.loss == 0
    assert strip.gain > 0.9 and strip.loss == 0 and strip.front and found.chosen == strip
    assert costly.loss == 0.5 and not costly.front, "half the German texts are lost"
    assert {row.lang: (row.first, row.second) for row in costly.clean} == {"de": (1.0, 0.5), "en": (1.0, 1.0)}
    assert all(row.difference is not None and row.difference.low > 0.5 for row in strip.attacked)
    assert tomllib.loads(found.to_toml())["defence"]["chain"] == ["strip-invisible"]
    assert json.loads(found.to_json())["chosen"] == "strip-invisible"
    assert found.to_json() == fix(BATTERY, model(), EXAMPLES, [t.defences for t in found.trials]).to_json()
    page = rendering.markdown(found)
    assert "strip-invisible gains most (one text of de is 6.2 points" in page and "| de German |" in page


def test_no_choice_is_said():
    found = fix(BATTERY, model(), EXAMPLES, [("nfc",)])
    assert found.chosen is None and tomllib.loads(found.to_toml())["defence"]["chain"] == []
    assert rendering.choice(found).startswith("No defence gains anything")


@pytest.mark.parametrize(
    ("examples", "steps", "chains", "said"),
    [
        ([Example("1", Item("x"), "en")], BATTERY, [("nfc",)], "gold label"),
        ([], BATTERY, [("nfc",)], "gold label"),
        (EXAMPLES, BATTERY, [("nfd",)], "did you mean 'nfc'"),
        (
            EXAMPLES,
            parse(
                {"steps": [{"name": "g", "kind": "attack", "attack": "greedy", "budget": 9, "perturbations": ["drop"]}]}
            ),
            [("nfc",)],
            "chosen on noise alone",
        ),
    ],
)
def test_what_cannot_be_said_is_refused(examples, steps, chains, said):
    with pytest.raises(FixError, match=said):
        fix(steps, model(), examples, chains)


def test_the_command(tmp_path):
    from runtime.cli import app

    data, out = tmp_path / "data.jsonl", tmp_path / "defence.toml"
    rows = ({"id": e.id, "lang": e.lang, "text": e.item.text, "label": e.label} for e in EXAMPLES)
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    battery = tmp_path / "b.toml"
    battery.write_text('[[steps]]\nname = "unseen"\nperturbations = ["invisible"]\nstrength = 0.4\n')
    arguments = ["fix", str(battery), "--model", "tests.test_fix:model", "--data", str(data)]
    wanted = ["--defence", "nfc", "--defence", "nfc+strip-invisible", "--out", str(out)]
    found = CliRunner().invoke(app, [*arguments, *wanted], env={"COLUMNS": "220", "TERM": "dumb"})
    assert found.exit_code == 0, found.output
    assert "nfc+strip-invisible gains most" in " ".join(found.stdout.split())
    assert tomllib.loads(out.read_text())["defence"]["chain"] == ["nfc", "strip-invisible"]
    refused = CliRunner().invoke(app, [*arguments, "--defence", "nfd"])
    assert refused.exit_code == 2 and "did you mean 'nfc'" in refused.output
