"""Numbers: thousands set apart by the language's sign, by a narrow space, or not at all."""

from __future__ import annotations

from collections.abc import Iterator

import regex

from probes.languages import Language
from probes.perturbations import perturbation
from probes.scripts.notation import notation
from probes.types import Edit

NARROW = "\u202f"
_SPACES = " \u00a0\u2009\u202f"


@perturbation(unit="word", needs="a known thousands separator")
def numbers(text: str, language: Language) -> Iterator[Edit]:
    """The thousands of a whole number of five digits or more are set apart in another way; its value stays."""
    sign = notation(language).group
    signs = _SPACES + ("" if sign == " " else sign)
    grouped = rf"[1-9][0-9]{{,2}}([{regex.escape(signs)}])[0-9]{{3}}(?:\1[0-9]{{3}}){{,8}}"
    # Not a part of a longer code, telephone number, decimal or date.
    before, after = rf"(?<![\w.,’'/:+-]|\d[{_SPACES}])", rf"(?!\w|[.,’'/:-]\w|[{_SPACES}]\d)"
    for found in regex.finditer(rf"{before}(?:{grouped}|[1-9][0-9]{{4,29}}){after}", text):
        plain = regex.sub(r"[^0-9]", "", found[0])
        if len(plain) > 4:
            head = (len(plain) - 1) % 3 + 1
            groups = [plain[:head], *(plain[i : i + 3] for i in range(head, len(plain), 3))]
            for other in dict.fromkeys((plain, *(mark.join(groups) for mark in (sign, NARROW)))):
                yield Edit(found.start(), found.end(), other)
