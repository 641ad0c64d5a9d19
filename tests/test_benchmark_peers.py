"""The side-by-side benchmark without any peer installed: fakes speak its protocol, and its measures know harm."""

from __future__ import annotations

import sys
import unicodedata
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks import damage, side_by_side
from benchmarks.peers.asking import Peer, PeerError, command
from benchmarks.side_by_side import Work, measure
from benchmarks.side_by_side_tables import tables
from probes.types import Example, Item

TEXTS = [Example(str(i), Item(f"Text {i} über कि"), ("de", "hi")[i % 2], "a") for i in range(6)]

FAKE = """
import sys
sys.path.insert(0, {root!r})
from benchmarks.peers.speaking import serve
class Victim:
    def restart(self): self.seconds, self.queries = 0.0, 4
class Fake:
    version, note = "1", "a fake"
    victim = Victim()
    def perturb(self, text, lang, strength):
        print("chatter on the standard output")
        if lang == "hi" and {refuses}: return None
        if lang == "xx": raise KeyError(lang)
        return text + "q" if strength else text.replace("  ", " ")
    def attack(self, rows, budget, distance):
        assert (budget, distance) == (200, 30)
        return [("fooled", text + "!!!", 2) if lang == "de" else ("held", None, 2) for text, lang, _ in rows]
def make():
    if {broken}: raise ImportError("no module named nothing")
    return Fake()
serve(make)
"""


def start(name: str) -> list[str]:
    if name == "langtest":
        raise PeerError("not installed")
    root = str(Path(side_by_side.__file__).parent.parent)
    code = FAKE.format(root=root, refuses=name == "multypo", broken=name == "nlpaug")
    return [sys.executable, "-S", "-c", code]


def test_measures_every_peer_and_names_those_that_are_missing() -> None:
    found = measure(Work(TEXTS, TEXTS, rounds=2, per_round=2), Path("nowhere"), start)
    assert found["failed"] == {"nlpaug": "ImportError: no module named nothing", "langtest": "not installed"}
    attacks = found["attacks"]["textattack"]
    assert attacks["attacks"] == 4 and attacks["queries_per_attack"] == 2
    assert [attacks["success"][most]["share"] for most in ("2", "4", "30")] == [0, 0.5, 0.5]
    assert attacks["speed"]["low"] <= attacks["speed"]["ratio"] <= attacks["speed"]["high"]
    assert found["attacks"]["babelproof"]["speed"] == {"ratio": 1, "low": 1, "high": 1}
    noise = found["noise"]["multypo"]
    assert (noise["touched"]["share"], noise["touched"]["n"]) == (0.5, 6)  # what a tool refuses it has not touched
    assert noise["languages"]["hi"]["touched"]["share"] == 0 and noise["languages_covered"] == 1
    still = found["still"]["babelproof"]
    assert still["intact"]["share"] < 1 and still["changed_in"] == ["en"]
    printed = StringIO()
    for table in tables(found):
        Console(file=printed, width=200).print(table)
    assert "langtest is missing: not installed" in printed.getvalue() and "0.50" in printed.getvalue()


def test_a_peer_that_fails_says_why_and_goes_on() -> None:
    with Peer(start("textattack"), victim=Path("nowhere")) as peer:
        with pytest.raises(PeerError, match="KeyError: 'xx'"):
            peer.ask({"do": "perturb", "texts": [["a", "xx"]], "strength": 0.1})
        assert peer.ask({"do": "perturb", "texts": [["a", "en"]], "strength": 0.1})["texts"] == ["aq"]


def test_a_peer_that_ends_or_hangs_is_told_from_one_that_answers() -> None:
    python = [sys.executable, "-S", "-c"]
    ends = Peer([*python, "import sys; sys.stdin.readline(); sys.exit(3)"], victim=Path("x"))
    with ends, pytest.raises(PeerError, match="ended with status 3"):
        ends.ask({})
    hangs = Peer([*python, "input(); input()"], victim=Path("x"), seconds=0.2)
    with hangs, pytest.raises(PeerError, match=r"no answer in 0\.2 seconds"):
        hangs.ask({})
    with pytest.raises(PeerError, match=r"make \.venv-peers/nobody"):
        command("nobody")


def test_damage_is_told_from_honest_typos() -> None:
    assert not damage.torn("किसान", "सकिान".replace("सकिा", "साकि"))  # whole graphemes have changed places
    assert not damage.torn("कि का", "का का")  # one left out, one typed twice
    assert damage.torn("किसान", "कसान") and damage.torn("किसान", "िकसान")
    assert not damage.torn("é", unicodedata.normalize("NFD", "é"))
    assert damage.mixed("привет", "пriвет") and not damage.mixed("привет", "привтет")
    assert damage.signs("word", "wo4d") and damage.signs("word", "wo@d") and not damage.signs("word", "wrod")


def test_texts_to_be_left_alone_hold_what_is_hard() -> None:
    texts = [text for text, _ in damage.still(TEXTS)]
    assert len(texts) == len(set(texts)) and any("\u200d" in text for text in texts)
    assert any("\r\n" in text for text in texts) and any(unicodedata.normalize("NFC", text) != text for text in texts)
