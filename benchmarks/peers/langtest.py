"""LangTest: add_typo, one typo a text, which is all the strength it has."""

from __future__ import annotations

from functools import cached_property
from importlib.metadata import version
from typing import Any

from benchmarks.peers.speaking import serve


class Langtest:
    """The transformation by itself, without the harness around it."""

    note = "add_typo: one typo a text, or none"

    def __init__(self) -> None:
        self.version = version("langtest")
        assert self._typo

    @cached_property
    def _typo(self) -> Any:
        from langtest.transform.robustness import AddTypo

        return AddTypo.transform

    def perturb(self, text: str, lang: str, strength: float) -> str | None:
        return str(self._typo([text], prob=1.0 if strength else 0.0)[0])


if __name__ == "__main__":
    serve(Langtest)
