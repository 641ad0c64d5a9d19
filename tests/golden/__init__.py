"""Texts of many languages, and what each perturbation makes of some of them.

`python -m tests.golden` writes the rows anew; read the difference before committing it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from probes import languages, noise, perturbations

FOLDER = Path(__file__).parent
ROWS_PER_PERTURBATION = 16
FEWEST_ROWS = 8


def escape(text: str) -> str:
    """The text with what cannot be seen, or would break the table, as escapes."""
    return "".join(
        char if char == " " or (char.isprintable() and char != "\\") else char.encode("unicode_escape").decode()
        for char in text
    )


def unescape(text: str) -> str:
    return "".join(
        part.encode("ascii").decode("unicode_escape") if part.isascii() else part for part in _runs_of_ascii(text)
    )


def _runs_of_ascii(text: str) -> list[str]:
    runs: list[str] = []
    for char in text:
        if runs and runs[-1].isascii() == char.isascii():
            runs[-1] += char
        else:
            runs.append(char)
    return runs


def texts() -> list[tuple[str, str]]:
    """Language code and text; `und` rows are there to trip: emoji sequences, NFD, line breaks, lone surrogates.

    A language that has none in texts.tsv has its sample.
    """
    lines = (FOLDER / "texts.tsv").read_text("utf-8").splitlines()
    found = [(code, unescape(text)) for code, text in (line.split("\t") for line in lines)]
    samples = ((code, languages.get(code).sample) for code in languages.codes())
    return found + [(code, text) for code, text in samples if text and code not in dict(found)]


def rows(name: str) -> list[tuple[str, str, float, int, str]]:
    """Language, text, strength, seed and result of a perturbation's golden rows."""
    lines = (FOLDER / f"{name}.tsv").read_text("utf-8").splitlines()[1:]
    cells = (line.split("\t") for line in lines)
    return [(code, unescape(a), float(strength), int(seed), unescape(b)) for code, a, strength, seed, b in cells]


def write(name: str) -> None:
    """Write the golden rows of a perturbation: texts it applies to, of as many scripts as there are."""
    chosen: dict[tuple[str, ...], list[tuple[str, str]]] = {}
    for code, text in texts():
        language = languages.get(code)
        if list(perturbations.get(name)(text, language)):
            chosen.setdefault(language.scripts[:1], []).append((code, text))
    depth = max(map(len, chosen.values()))
    ordered = [group[i] for i in range(depth) for group in chosen.values() if i < len(group)]
    # Few texts are drawn from several times.
    ordered *= -(-FEWEST_ROWS // len(ordered))
    lines = ["language\ttext\tstrength\tseed\tresult"]
    for seed, (code, text) in enumerate(ordered[:ROWS_PER_PERTURBATION]):
        strength = 0.1 if perturbations.unit(name) == "grapheme" else 0.3
        result = noise.perturb(text, languages.get(code), [name], strength, np.random.default_rng(seed))
        lines.append(f"{code}\t{escape(text)}\t{strength}\t{seed}\t{escape(result)}")
    (FOLDER / f"{name}.tsv").write_text("\n".join(lines) + "\n", "utf-8")
