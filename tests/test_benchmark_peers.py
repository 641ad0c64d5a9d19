"""The side-by-side benchmark without any peer installed: fakes speak its protocol, and its measures know harm."""

from __future__ import annotations

import shutil
import subprocess
import sys
import unicodedata
from importlib.metadata import packages_distributions
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks import damage, side_by_side
from benchmarks.peers.asking import ATTACKS, Peer, PeerError, command
from benchmarks.side_by_side import Work, measure
from benchmarks.side_by_side_attacks import AGAINST, aims
from benchmarks.side_by_side_tables import tables
from probes.types import Example, Item

TEXTS = [Example(str(i), Item(f"Text {i} über कि"), ("de", "hi")[i % 2], "a") for i in range(6)]

FAKE = """
import sys
sys.path.insert(0, {root!r})
from benchmarks.peers.asking import ATTACKS
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
    def attack(self, name, rows, budget, distance):
        assert (name, budget) in ATTACKS[{name!r}]
        if name == "burst": rows = [(text + "??", lang, label) for text, lang, label in rows]
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
    code = FAKE.format(root=root, name=name, refuses=name == "multypo", broken=name == "nlpaug")
    return [sys.executable, "-S", "-c", code]


def test_measures_every_peer_and_names_those_that_are_missing() -> None:
    found = measure(Work(TEXTS, TEXTS, rounds=2, per_round=2), Path("nowhere"), start)
    assert found["failed"] == {"nlpaug": "ImportError: no module named nothing", "langtest": "not installed"}
    assert list(found["attacks"]) == ["2", "4", "8", "30"]
    rows = found["attacks"]["4"]
    attack = rows[AGAINST]
    assert attack["attacks"] == 4 and attack["queries_per_attack"] == 2 and attack["changed"] == 3
    assert attack["speed"] == {"ratio": 1, "low": 1, "high": 1}
    assert [found["attacks"][most][AGAINST]["success"]["share"] for most in ("2", "4", "30")] == [0, 0.5, 0.5]
    assert rows["babelproof burst 9"]["success"]["share"] == 0 and rows["babelproof burst 9"]["changed"] == 5
    assert rows["babelproof importance 200"]["speed"]["low"] <= rows["babelproof importance 200"]["speed"]["high"]
    noise = found["noise"]["multypo"]
    assert (noise["touched"]["share"], noise["touched"]["n"]) == (0.5, 6)  # what a tool refuses it has not touched
    assert noise["languages"]["hi"]["touched"]["share"] == 0 and noise["languages_covered"] == 1
    still = found["still"]["babelproof"]
    assert still["intact"]["share"] < 1 and still["changed_in"] == ["en"]
    printed = StringIO()
    for table in tables(found):
        Console(file=printed, width=200).print(table)
    assert "langtest is missing: not installed" in printed.getvalue() and "0.50" in printed.getvalue()


def test_texts_that_a_tool_refuses_are_no_work_of_its() -> None:
    answers = [
        {
            "babelproof": {"texts": ["a"] * 6, "seconds": 6.0},
            "multypo": {"texts": ["a", None] * 3, "seconds": 0.3},
            "langtest": {"texts": [None] * 6, "seconds": 0.1},
        }
    ]
    found = side_by_side._noise(answers, TEXTS)
    speeds = {name: (row["texts_per_second"], row["speed"]["ratio"]) for name, row in found.items()}
    assert speeds == {"babelproof": (1, 1), "multypo": (pytest.approx(10), pytest.approx(10)), "langtest": (0, 0)}


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_a_peer_is_installed_by_the_pip_of_our_own_environment() -> None:
    root = Path(side_by_side.__file__).parent.parent
    # -W: as if what is to be installed were new
    command = ["make", "-n", "-W", "benchmarks/peers/nlpaug.txt", ".venv-peers/nlpaug/.installed"]
    said = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    assert ".venv-dev/bin/python -m pip --python .venv-peers/nlpaug/bin/python install" in said


def test_the_aim_is_read_off_speed_and_success_together() -> None:
    def row(times: float, success: float) -> dict[str, object]:
        return {"speed": {"ratio": times}, "success": {"share": success}}

    rows = {AGAINST: row(1, 0.5), "fast": row(10, 0.5), "slow": row(9.9, 0.9), "weak": row(20, 0.4)}
    assert [line.partition(": ")[2] for line in aims({"2": rows, "4": {"fast": row(10, 1)}})] == ["fast", "none"]


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
    assert not damage.torn("से की", "सो की") and not damage.torn("رً", "رَ"), "a mark in place of another"
    assert not damage.torn("များ", "မျုး"), "of a Burmese letter UAX #29 leaves a vowel apart"
    assert damage.torn("သည်", "သည္"), "a sign that stacks nothing"
    assert damage.torn("का की", "का ी"), "a mark on a space"
    assert damage.torn("किसान", "कसान") and damage.torn("किसान", "िकसान")
    assert not damage.torn("é", unicodedata.normalize("NFD", "é"))
    assert damage.mixed("привет", "пriвет") and not damage.mixed("привет", "привтет")
    assert damage.signs("word", "wo4d") and damage.signs("word", "wo@d") and not damage.signs("word", "wrod")


def test_texts_to_be_left_alone_hold_what_is_hard() -> None:
    texts = [text for text, _ in damage.still(TEXTS)]
    assert len(texts) == len(set(texts)) and any("\u200d" in text for text in texts)
    assert any("\r\n" in text for text in texts) and any(unicodedata.normalize("NFC", text) != text for text in texts)


def test_the_environment_of_an_attacking_peer_has_what_opening_the_victim_imports() -> None:
    code = "import sys; old = set(sys.modules); import runtime.classifier, probes; print(*set(sys.modules) - old)"
    root = Path(side_by_side.__file__).parent.parent
    loaded = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True).stdout
    made_by = packages_distributions()
    names = {dist for module in loaded.split() for dist in made_by.get(module.partition(".")[0], ())}
    needed = {name.lower().replace("_", "-") for name in names} - {"babelproof"}
    assert {"numpy", "regex"} <= needed
    for peer in set(ATTACKS) - {"babelproof"}:
        lines = (root / "benchmarks" / "peers" / f"{peer}.txt").read_text(encoding="utf-8").splitlines()
        assert needed <= {line.partition("==")[0] for line in lines}
