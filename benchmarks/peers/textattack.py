"""TextAttack: the recipe DeepWordBugGao2018, its distance counted as ours, and its augmenter of the same four edits."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import cached_property, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.speaking import Attacked, serve
from benchmarks.peers.victim import Victim
from probes.text import graphemes
from probes.types import Item

STATUS = {"Successful": "fooled", "Failed": "held", "Skipped": "wrong"}


def stop_words() -> str:
    """Have a list of English stop words where NLTK looks: without one the library cannot even be imported."""
    import nltk

    try:
        nltk.data.find("corpora/stopwords")
        return "the stop words of NLTK"
    except LookupError:
        from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

        folder = Path(sys.prefix) / "nltk_data" / "corpora" / "stopwords"
        folder.mkdir(parents=True)
        (folder / "english").write_text("\n".join(sorted(ENGLISH_STOP_WORDS)) + "\n", "utf-8")
        (folder / "README").write_text("English: those of scikit-learn, for want of NLTK's own.\n", "utf-8")
        return ""


class TextAttack:
    """The library offline: nothing of the recipe is left out, and its goal function gets the budget.

    Its bound on the Levenshtein distance counts graphemes in place of code points, which allows it more.
    """

    note = "DeepWordBugGao2018; noise by CharSwapAugmenter, which edits at least one word"

    def __init__(self) -> None:
        os.environ.setdefault("TA_CACHE_DIR", str(Path(sys.prefix) / "textattack_cache"))
        stop_words()
        import textattack  # noqa: F401

        if (Path(sys.prefix) / "nltk_data" / "corpora" / "stopwords" / "README").exists():
            self.note += "; stop words of scikit-learn for want of NLTK's"
        self.version = version("textattack")

    @cached_property
    def victim(self) -> Victim:
        return Victim()

    @cached_property
    def _recipe(self) -> Any:
        import editdistance
        from textattack.attack_recipes import DeepWordBugGao2018
        from textattack.constraints.overlap import LevenshteinEditDistance
        from textattack.models.wrappers import ModelWrapper

        victim = self.victim

        class Graphemes(LevenshteinEditDistance):  # type: ignore[misc]
            def _check_constraint(self, transformed_text: Any, reference_text: Any) -> bool:
                before, after = (
                    [t.text[i:j] for i, j in graphemes(t.text)] for t in (reference_text, transformed_text)
                )
                return bool(editdistance.eval(before, after) <= self.max_edit_distance)

        class Wrapper(ModelWrapper):  # type: ignore[misc]
            model = victim

            def __call__(self, texts: list[str], **_: Any) -> np.ndarray[Any, Any]:
                return victim([Item(text) for text in texts])

        recipe = DeepWordBugGao2018.build(Wrapper())
        recipe.constraints = [
            Graphemes(one.max_edit_distance) if isinstance(one, LevenshteinEditDistance) else one
            for one in recipe.constraints
        ]
        return recipe

    def perturb(self, text: str, lang: str, strength: float) -> str | None:
        found = _augmenter(strength).augment(text)
        return str(found[0]) if found else text

    def attack(self, name: str, rows: Sequence[tuple[str, str, str]], budget: int, distance: int) -> list[Attacked]:
        assert name == "DeepWordBugGao2018"
        self._recipe.clear_cache()
        self._recipe.goal_function.query_budget = budget
        [bound] = (one for one in self._recipe.constraints if hasattr(one, "max_edit_distance"))
        bound.max_edit_distance = distance
        return [self._attacked(text, self.victim.labels.index(label)) for text, _, label in rows]

    def _attacked(self, text: str, label: int) -> Attacked:
        result = self._recipe.attack(text, label)
        status = STATUS[type(result).__name__.removesuffix("AttackResult")]
        after = result.perturbed_result.attacked_text.text if status == "fooled" else None
        return status, after, int(result.num_queries)


@lru_cache(maxsize=8)
def _augmenter(strength: float) -> Any:
    from textattack.augmentation import CharSwapAugmenter

    return CharSwapAugmenter(pct_words_to_swap=strength, transformations_per_example=1)


if __name__ == "__main__":
    serve(TextAttack)
