"""multypo: typos of its 12 keyboards, on whole texts: sentence splitting needs downloads in most languages."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import version
from typing import Any

from benchmarks.peers.speaking import serve


class Multypo:
    """The generator of each language."""

    note = "insert_typos_in_text, sentence_tokenize=False; 12 languages"

    def __init__(self) -> None:
        from multypo.keyboards import LANGUAGES

        self.version = version("multypo")
        self._names = {code: name for name, code in LANGUAGES.items()}

    def perturb(self, text: str, lang: str, strength: float) -> str | None:
        if lang not in self._names:
            return None
        typos = _generator(self._names[lang])
        return str(typos.insert_typos_in_text(text, typo_rate=strength, sentence_tokenize=False))


@lru_cache(maxsize=16)
def _generator(name: str) -> Any:
    from multypo import MultiTypoGenerator

    return MultiTypoGenerator(language=name)


if __name__ == "__main__":
    serve(Multypo)
