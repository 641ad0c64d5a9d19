"""Write `probes/scripts/tables/keyboards.tsv`: what every key types, of the layouts of xkeyboard-config.

`python -m probes.scripts.keyboard_tables SYMBOLS KEYSYMS` takes the folder of symbols files (/usr/share/X11/xkb/symbols
of Debian's package xkb-data) and keysymdef.h, which gives the names their characters (x11proto-dev). Of each file there
is the layout it has by default, of some also variants: those of `VARIANTS`.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from probes.files import write_text

TABLE = Path(__file__).parent / "tables" / "keyboards.tsv"

# Alternatives that are in wide use, and all that type a script or a language the default of their file does not.
VARIANTS = """
am(eastern) am(phonetic) am(western) az(cyrillic) bd(probhat) bg(phonetic) by(latin) ca(multix) ch(fr) cz(qwerty)
de(neo) es(cat) es(dvorak) fr(bepo) fr(dvorak) ge(ergonomic) gb(extd) gh(akan) gh(ewe) gh(ga) gh(hausa) gr(polytonic)
in(ben) in(ben_probhat) in(eeyek) in(guj) in(guru) in(hin-kagapa) in(jhelum) in(kan) in(mal) in(mal_lalitha)
in(mar-kagapa) in(olck) in(ori) in(tam) in(tam_tamilnet) in(tel) in(urd-phonetic) iq(ku) ir(ku) jp(kana) ke(kik)
lk(tam_unicode) lk(us) lt(us) lv(apostrophe) me(cyrillic) ng(hausa) ng(igbo) ng(yoruba) pk(snd) pl(dvorak) pt(nativo)
ro(std) rs(latin) ru(phonetic) sk(qwerty) th(pat) tr(f) ua(phonetic) us(colemak) us(dvorak) us(intl) uz(latin) vn(us)
"""

# Left to right; keys of the four rows, the first of each where Layout's geometry has it.
ROWS = (
    ("TLDE", *(f"AE{i:02}" for i in range(1, 14))),
    tuple(f"AD{i:02}" for i in range(1, 13)),
    (*(f"AC{i:02}" for i in range(1, 12)), "BKSL"),
    ("LSGT", *(f"AB{i:02}" for i in range(1, 12))),
)
LEVELS = 4
_SAME_KEY = {
    **{"AC12": "BKSL", "AE00": "TLDE", "AB00": "LSGT"},
    **{f"Lat{a}": f"AD{i:02}" for i, a in enumerate("QWERTYUIOP", 1)},
    **{f"Lat{a}": f"AC{i:02}" for i, a in enumerate("ASDFGHJKL", 1)},
    **{f"Lat{a}": f"AB{i:02}" for i, a in enumerate("ZXCVBNM", 1)},
}
DEAD = {
    **{"dead_grave": "\u0300", "dead_acute": "\u0301", "dead_circumflex": "\u0302", "dead_tilde": "\u0303"},
    **{"dead_macron": "\u0304", "dead_breve": "\u0306", "dead_abovedot": "\u0307", "dead_diaeresis": "\u0308"},
    **{"dead_hook": "\u0309", "dead_abovering": "\u030a", "dead_doubleacute": "\u030b", "dead_caron": "\u030c"},
    **{"dead_horn": "\u031b", "dead_belowdot": "\u0323", "dead_belowdiaeresis": "\u0324", "dead_belowcomma": "\u0326"},
    **{"dead_cedilla": "\u0327", "dead_ogonek": "\u0328", "dead_psili": "\u0313", "dead_dasia": "\u0314"},
    **{"dead_iota": "\u0345", "dead_perispomeni": "\u0342"},
}
"""Dead keys and the mark each puts on the letter that follows; a cell of the table has it on a dotted circle."""

# What xkeyboard-config leaves to an input method: KS X 5002 (Dubeolsik), typed on the keys of `us`.
_HANGUL = ("ㅂㅈㄷㄱㅅㅛㅕㅑㅐㅔ", "ㅁㄴㅇㄹㅎㅗㅓㅏㅣ", " ㅋㅌㅊㅍㅠㅜㅡ"), ("ㅃㅉㄸㄲㅆ   ㅒㅖ", "", "")
# Marks that are typed after their letter, under names that keysymdef.h has for them as letters.
_MARKS = {"voicedsound": "\u3099", "semivoicedsound": "\u309a"}
# The vowel keys of et, which its file gives code points without a character.
_ETHIOPIC_VOWELS = dict(zip((0xFE67, 0xFE69, 0xFE71, 0xFE73, 0xFE75), "aeiou", strict=True))

_SECTION = re.compile(r'((?:\b\w+\s+)*)xkb_symbols\s+"([^"]+)"\s*\{')
_STATEMENT = re.compile(
    r'(?:include|augment|override|replace)\s+"([^"]+)"|\bkey\s*<(\w+)>\s*\{(.*?)\}\s*;|name\[.*?"([^"]*)"', re.DOTALL
)
# The first list of symbols, which is that of the first group; type[Group1] and the like are none.
_SYMBOLS = re.compile(r"(?<!\w)(?:symbols\s*\[\s*\w+\s*\]\s*=\s*)?\[([^\[\]]*)\]", re.IGNORECASE)

Keys = dict[str, list[str]]


class Symbols:
    """The symbols files of a folder, read with what they include."""

    def __init__(self, folder: Path, keysyms: Path) -> None:
        self._folder = folder
        named = re.findall(r"#define XK_(\w+)\s+0x(\w+)(?:\s+/\*[ (]U\+(\w+))?", keysyms.read_text("utf-8"))
        # A deprecated name has no character beside it, but the number of one that has.
        numbers = {number: chr(int(code, 16)) for _, number, code in named if code}
        self._characters = {name: numbers.get(number, " ") for name, number, _ in named} | _MARKS
        self._section = cache(self._read)

    def layouts(self) -> list[str]:
        """The default of every file of a country or language, then the variants; sorted."""
        return sorted([*(path.name for path in self._folder.iterdir() if _is_layout(path)), *VARIANTS.split()])

    def row(self, layout: str) -> str:
        """One line of the table; nothing for a layout that types fewer than twenty letters."""
        name, keys = self._section(layout)
        cells = [
            "".join(self._cell(keys.get(key, [])[level : level + 1]) for key in row).rstrip(" ")
            for level in range(LEVELS)
            for row in ROWS
        ]
        if sum(character.isalpha() for character in "".join(cells)) < 20:
            return ""
        return "\t".join((layout, name, *cells)).rstrip("\t")

    def _read(self, layout: str) -> tuple[str, Keys]:
        """Name and keys of "file" or "file(section)"; KeyError if the file has no such section."""
        file, _, wanted = layout.rstrip(")").partition("(")
        text = re.sub(r"//.*", "", (self._folder / file).read_text("utf-8"))
        found = list(_SECTION.finditer(text))
        chosen = [m for m in found if m[2] == wanted] if wanted else [m for m in found if "default" in m[1]] or found
        if not chosen:
            raise KeyError(f"{self._folder / file} has no section {wanted!r}")
        end = next((m.start() for m in found if m.start() > chosen[0].start()), len(text))
        return self._merged(text[chosen[0].end() : end])

    def _merged(self, body: str) -> tuple[str, Keys]:
        name, keys = "", Keys()
        for included, key, symbols, own_name in _STATEMENT.findall(body):
            name = own_name or name
            for part in re.split(r"[+|]", included) if included else ():
                other, more = self._section(re.sub(r":\d$", "", part))
                name = other or name
                _add(keys, more)
            if key and (groups := _SYMBOLS.findall(symbols)):
                _add(keys, {_SAME_KEY.get(key, key): re.split(r"\s*,\s*", groups[0].strip())})
        return name, keys

    def _cell(self, symbols: list[str]) -> str:
        """What one level of a key types: a character, a dead key's mark on a dotted circle, or nothing (a space)."""
        symbol = symbols[0] if symbols else ""
        if symbol in DEAD:
            return "\u25cc" + DEAD[symbol]
        code = re.fullmatch(r"(?:0[xX]0*100|0[xX]|[uU]\+?)([0-9a-fA-F]{2,6})", symbol)
        if code and len(symbol) > 2:
            point = int(code[1], 16)
            character = _ETHIOPIC_VOWELS.get(point) or chr(point)
        else:
            character = symbol if len(symbol) == 1 else self._characters.get(symbol, " ")
        return character if unicodedata.category(character)[0] not in "CZ" else " "


def _add(keys: Keys, more: Keys) -> None:
    """Put symbols over those that are there, level by level; NoSymbol leaves what was."""
    for key, symbols in more.items():
        old = keys.get(key, [])
        longest = max(len(old), len(symbols))
        pairs = zip(_padded(old, longest), _padded(symbols, longest), strict=True)
        keys[key] = [before if new.lower() in ("", "any", "nosymbol") else new for before, new in pairs]


def _padded(symbols: list[str], length: int) -> list[str]:
    return symbols + [""] * (length - len(symbols))


def _is_layout(path: Path) -> bool:
    """Whether a file is of a country, by its two letters, or one of those with a longer name."""
    return path.is_file() and (len(path.name) == 2 or path.name in ("ara", "epo", "latam", "mao"))


def rows(symbols: Symbols) -> Iterator[str]:
    """Lines of the table: layout, name, and the four rows of each level, tabs between."""
    layouts = {layout: symbols.row(layout) for layout in symbols.layouts()}
    layouts["kr"] = "\t".join(("kr", "Korean (Dubeolsik)", *("\t".join(("", *level)) for level in _HANGUL)))
    yield from filter(None, layouts.values())


def main(folder: str, keysyms: str) -> None:
    """Write the table."""
    write_text(TABLE, "\n".join(rows(Symbols(Path(folder), Path(keysyms)))) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
