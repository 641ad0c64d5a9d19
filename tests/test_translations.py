"""Parallel text out of gettext catalogues and CLDR, by small ones made here."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from training.align.pairs import PairsError, read_pairs
from training.align.translations import language_of, write_translations


def catalogue(root: Path, locale: str, messages: dict[str, str]) -> None:
    """A binary catalogue as msgfmt writes it: sorted messages, their translations, two tables of (length, place)."""
    entries = sorted({"": "Content-Type: text/plain; charset=UTF-8\n", **messages}.items())
    texts = [text.encode() for pair in zip(*entries, strict=True) for text in pair]
    place, table = 28 + 16 * len(entries), []
    for text in texts:
        table += [len(text), place]
        place += len(text) + 1
    head = struct.pack("<7I", 0x950412DE, 0, len(entries), 28, 28 + 8 * len(entries), 0, 0)
    file = root / locale / "LC_MESSAGES" / "office.mo"
    file.parent.mkdir(parents=True)
    file.write_bytes(head + struct.pack(f"<{len(table)}I", *table) + b"\0".join(texts) + b"\0")


def test_catalogues_become_pairs_that_align_reads(tmp_path: Path) -> None:
    catalogue(tmp_path / "mo", "gu", {"menu\4_Save the file": "ફાઇલ સંગ્રહો (_S)", "Close": "બંધ", "Not done at all": ""})
    plural = {"Close one window\0Close %d windows": "Fechar uma janela\0Fechar %d janelas"}
    catalogue(tmp_path / "mo", "pt_BR", {"menu\4_Save the file": "~Salvar o <b>arquivo</b>"} | plural)
    catalogue(tmp_path / "mo", "ca@valencia", {"menu\4_Save the file": "Guarda el fitxer"})
    catalogue(tmp_path / "mo", "en_GB", {"menu\4_Save the file": "Save the file, please"})
    out = tmp_path / "office" / "multi.tsv"
    assert write_translations("gettext", tmp_path / "mo", [], out) == {"gu": 1, "pt": 2}
    pairs = read_pairs([out.parent])
    assert pairs.english == ["Close one window", "Save the file"]
    assert {lang: dict(rows) for lang, rows in pairs.rows.items()} == {
        "gu": {"office": [("ફાઇલ સંગ્રહો", 1)]},
        "pt": {"office": [("Fechar uma janela", 0), ("Salvar o arquivo", 1)]},
    }


CLDR = """<?xml version="1.0" encoding="UTF-8" ?>
<!DOCTYPE ldml SYSTEM "../../common/dtd/ldml.dtd">
<ldml><identity><language type="{lang}"/></identity>{rest}</ldml>
"""


def cldr(root: Path, part: str, lang: str, rest: str) -> None:
    (root / part).mkdir(parents=True, exist_ok=True)
    (root / part / f"{lang}.xml").write_text(CLDR.format(lang=lang, rest=rest), encoding="utf-8")


def test_cldr_names_and_keywords_become_pairs(tmp_path: Path) -> None:
    word = (
        '<annotations><annotation cp="🐟">{}</annotation><annotation cp="🐟" type="tts">{}</annotation></annotations>'
    )
    place = '<localeDisplayNames><territories><territory type="FR">{}</territory>{}</territories></localeDisplayNames>'
    draft = '<territory type="DE" draft="unconfirmed">{}</territory>'
    for lang, keywords, name, france in (
        ("en", "fish | Pisces", "fish", "France"),
        ("is", "fiskur | fiskarnir", "fiskur", "Frakkland"),
        ("no", "↑↑↑", "fisk", "Frankrike"),
        ("root", "E1", "E2", "FR"),
        ("sr_Latn", "riba", "riba", "Francuska"),
    ):
        cldr(tmp_path, "annotations", lang, word.format(keywords, name))
        cldr(tmp_path, "main", lang, place.format(france, draft.format("?")))
    out = tmp_path / "multi.tsv"
    assert write_translations("cldr", tmp_path, ["is", "nb"], out) == {"is": 3, "nb": 2}
    assert out.read_text(encoding="utf-8").splitlines() == [
        "en\tis\tnb",
        "fish, Pisces\tfiskur, fiskarnir\t",
        "fish\tfiskur\tfisk",
        "France\tFrakkland\tFrankrike",
    ]


def test_a_locale_is_its_language_or_none_of_ours() -> None:
    locales = ["gu", "pa_IN", "zh_TW", "zh_Hant", "fil", "no", "en_GB", "sr@latin", "uz_Cyrl", "root"]
    assert [language_of(one) for one in locales] == [
        "gu", "pa", "zh-Hant", "zh-Hant", "tl", "nb", None, None, None, None,
    ]  # fmt: skip


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(PairsError, match="no translations of kind po; there are gettext, cldr"):
        write_translations("po", tmp_path, [], tmp_path / "out.tsv")
    with pytest.raises(PairsError, match="no cldr translations for any"):
        write_translations("cldr", tmp_path, [], tmp_path / "out.tsv")
    catalogue(tmp_path, "gu", {"Save the file": "સંગ્રહો"})
    with pytest.raises(PairsError, match="no gettext translations for is"):
        write_translations("gettext", tmp_path, ["gu", "is"], tmp_path / "out.tsv")
    (tmp_path / "gu" / "LC_MESSAGES" / "office.mo").write_bytes(b"no catalogue")
    with pytest.raises(PairsError, match=r"office\.mo: not a gettext catalogue"):
        write_translations("gettext", tmp_path, [], tmp_path / "out.tsv")
    cldr(tmp_path, "main", "en", "<broken>")
    with pytest.raises(PairsError, match=r"en\.xml: not XML"):
        write_translations("cldr", tmp_path, [], tmp_path / "out.tsv")
    assert not (tmp_path / "out.tsv").exists()
