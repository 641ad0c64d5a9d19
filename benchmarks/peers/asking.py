"""Our side of the conversation: a peer is started in its environment and asked; one that fails is named."""

from __future__ import annotations

import json
import os
import select
import subprocess
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
NAMES = ("babelproof", "textattack", "nlpaug", "langtest", "multypo")
ATTACKS = {
    "babelproof": (("burst", 3), ("burst", 9), ("burst", 33), ("burst-and-prune", 200), ("importance", 200)),
    "textattack": (("DeepWordBugGao2018", 200),),
}
"""The tools that attack; the attacks each is asked for, and the queries each may ask, the ranking of words included."""


class PeerError(RuntimeError):
    """A peer that is not installed, does not answer or fails: which, and why."""


def command(name: str) -> list[str]:
    """How a peer is started; PeerError where its environment is missing."""
    folder = ROOT / (".venv-dev" if name == "babelproof" else f".venv-peers/{name}")
    python = folder / "bin" / "python"
    if not python.exists():
        raise PeerError(f"not installed: make .venv-peers/{name}/.installed")
    return [str(python), "-m", f"benchmarks.peers.{name}"]


class Peer:
    """One tool, started (some take minutes until they are up); seconds are what it may take to answer."""

    def __init__(self, start: Sequence[str], *, victim: Path, seconds: float = 600) -> None:
        self._seconds = seconds
        environment = os.environ | {
            "BABELPROOF_VICTIM": str(victim),
            "OMP_NUM_THREADS": "1",
            "TOKENIZERS_PARALLELISM": "false",
            "HF_HUB_OFFLINE": "1",
            "PYTHONPATH": str(ROOT),
        }
        self._process = subprocess.Popen(
            start, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )

    @cached_property
    def about(self) -> dict[str, Any]:
        """Its version and what it does here, once it is up; PeerError where it cannot be."""
        return self.ask({"do": "hello"})

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to one request; PeerError says what came in its place."""
        into, out = self._process.stdin, self._process.stdout
        assert into is not None and out is not None
        try:
            into.write(json.dumps(request).encode() + b"\n")
            into.flush()
        except BrokenPipeError:
            raise PeerError(f"ended with status {self._process.wait()}") from None
        if not select.select([out], [], [], self._seconds)[0]:
            raise PeerError(f"no answer in {self._seconds:g} seconds")
        line = out.readline()
        if not line:
            raise PeerError(f"ended with status {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise PeerError(str(answer["error"]))
        return answer

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()

    def __enter__(self) -> Peer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
