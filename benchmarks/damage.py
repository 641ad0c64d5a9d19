"""What a tool has done to a text: torn its graphemes, mixed scripts, put in signs; and texts easily harmed."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence

import regex

from probes.text import graphemes, scripts, units
from probes.types import Example

VIRAMA = 9
"""The combining class of signs that take a letter's vowel and join it to the next."""
STACKERS = "\u1039\u17d2"
"""Those of Burmese and Khmer that are nothing to see, and stack the letter that follows."""
_ALONE = regex.compile(r"[\p{Z}\p{P}]*[\p{M}\u200d]")
HARD = {
    "emoji of several parts": ("en", "Family 👨‍👩‍👧‍👦, thumbs 👍🏽, flags 🇩🇪🇯🇵, heart ❤️ and keycap 3️⃣!"),
    "line breaks and tabs": ("en", "First line.\nSecond line,\r\n\tthird one.\n\n"),
    "runs of spaces": ("en", "  Two  spaces,   three\u00a0and a thin\u202fone. "),
    "French apostrophes": ("fr", "L’été, c'est « l'heure » d'aujourd'hui ; n'est-ce pas ?"),
    "Arabic with vowel signs": ("ar", "كَتَبَ الطَّالِبُ الدَّرْسَ، ثُمَّ ذَهَبَ إِلَى المَدْرَسَةِ."),
    "Hebrew with points": ("he", "בְּרֵאשִׁית בָּרָא אֱלֹהִים אֵת הַשָּׁמַיִם וְאֵת הָאָרֶץ"),
    "two directions": ("he", "המחיר הוא 42 EUR (כולל מע״מ) ב‎-Amazon.de‏!"),
    "joiners": ("fa", "می‌خواهم کتاب‌هایم را به خانه‌ام ببرم."),
    "Devanagari": ("hi", "क्षत्रिय किसान ज़मीन पर काम करते हैं, है न?"),
    "Thai": ("th", "เด็กๆ กำลังเล่นน้ำอยู่ที่แม่น้ำ"),
    "Chinese": ("zh", "他说：“今天（星期六）下雨，我们不去了。”"),
    "markup and addresses": ("en", "See <b>https://example.org/a?b=c&d=%20</b> or mail a.b@example.org; don't."),
}
"""Beside the sentences: texts that tools for English come to grief over, by what is hard in them."""


def still(examples: Sequence[Example]) -> list[tuple[str, str]]:
    """Texts and languages that must come back byte for byte at strength zero: each also decomposed, and HARD."""
    texts = [(example.item.text, example.lang) for example in examples]
    texts += [(text, lang) for lang, text in HARD.values()]
    parts = [(unicodedata.normalize("NFD", text), lang) for text, lang in texts]
    return list(dict.fromkeys(texts + parts))


def torn(before: str, after: str) -> bool:
    """Whether a mark stands alone that did not, a sign stacks nothing, or a letter has lost marks or got some.

    A mark in place of another is a slip of the finger, as a letter in place of another is, and tears nothing. Both cuts
    must say so: UAX #29 leaves vowels of Burmese and Lao apart, units join letters that Tamil and Sinhala write apart.
    """
    whole = ([text[i:j] for i, j in units(text, (0, len(text)))] for text in (before, after))
    cut = ([text[i:j] for i, j in graphemes(text)] for text in (before, after))
    return _torn(*whole) and _torn(*cut)


def _torn(before: Sequence[str], after: Sequence[str]) -> bool:
    lost, came = Counter(before) - Counter(after), set(after) - set(before)  # what is only repeated is whole
    if any(_ALONE.match(one) or one[-1] in STACKERS for one in came):
        return True
    for one in came:
        kin = [other for other in lost if one[0] == other[0] and len(one) + len(other) > 2]
        if kin and not any(_same(one, other) or _kinds(one) == _kinds(other) for other in kin):
            return True
    return False


def mixed(before: str, after: str) -> bool:
    """Whether a script came in that the text had not."""
    return not scripts(after).keys() <= scripts(before).keys()


def signs(before: str, after: str) -> bool:
    """Whether a digit or sign came in that the text had not: no letter, mark or space."""
    return any(unicodedata.category(char)[0] in "NPS" for char in set(after) - set(before))


def _kinds(text: str) -> list[str]:
    """What each code point is: letter, mark, or a mark that joins letters."""
    return [unicodedata.category(char)[0] + str(unicodedata.combining(char) == VIRAMA) for char in text]


def _same(one: str, other: str) -> bool:
    return unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other)
