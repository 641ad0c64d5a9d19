"""Where augment takes synonyms from: a file for all languages, a folder of one a language, the lists that ship."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from probes import synonyms
from probes.types import Example, Item
from training import methods


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for lang, words in (("el", {"σπίτι": ["οικία"]}), ("zh", {"学校": ["学堂"]}), ("de", {"haus": ["heim"]})):
        (tmp_path / f"{lang}.json").write_text(json.dumps(words), encoding="utf-8")
    return tmp_path


def texts(source: Path | str, text: str, lang: str, **options: object) -> set[str]:
    method = methods.build("augment", {"clean": 0, "synonyms": str(source), **options})
    rows = [Example(str(number), Item(text), lang, "x") for number in range(40)]
    return {row.item.text for row in method.prepare(rows, np.random.default_rng(0))}


def test_each_language_has_its_own_list(folder: Path) -> None:
    assert texts(folder, "Σπίτι, haus", "el") == {"Σπίτι, haus", "Οικία, haus"}
    assert texts(folder, "σπίτι HAUS", "de") == {"σπίτι HAUS", "σπίτι HEIM"}
    assert texts(folder, "去学校吧", "zh-Hant") == {"去学校吧", "去学堂吧"}
    assert texts(folder / "el.json", "σπίτι haus", "de", form="faithful") == {"σπίτι haus", "οικία haus"}


def test_languages_that_the_folder_lacks_take_the_list_that_ships(folder: Path) -> None:
    word, others = next((word, others) for word, others in synonyms.of("en").items() if others)
    assert texts(folder, word, "en") == {word, *others}


def test_a_language_without_any_list_stays_or_is_refused(folder: Path) -> None:
    assert texts(folder, "nyumba", "sw") == {"nyumba"}
    with pytest.raises(ValueError, match=r"no synonyms for 'sw', only for ar, de, el, .*put sw\.json into a folder"):
        texts(folder, "nyumba", "sw", form="faithful")


def test_files_are_listed_and_missing_ones_named(folder: Path) -> None:
    method = methods.build("augment", {"synonyms": str(folder)})
    assert [path.name for path in sorted(method.files)] == ["de.json", "el.json", "zh.json"]
    assert methods.build("augment", {}).files == ()
    for missing in (folder / "none", folder / "none.json"):
        with pytest.raises(ValueError, match=r"there is no file or folder .*none"):
            texts(missing, "word", "en")


def test_a_thesaurus_is_a_source_and_what_it_lacks_is_taken_from_the_lists_that_ship(tmp_path: Path) -> None:
    (tmp_path / "th_sv_SE_v2.dat").write_bytes("ISO8859-1\nläkare|1\n-|doktor|sjukdom (antonym)\n".encode("latin-1"))
    assert texts(f"mythes:{tmp_path}", "en läkare", "sv") == {"en läkare", "en doktor"}
    word, others = next((word, others) for word, others in synonyms.of("en").items() if others)
    assert texts(f"mythes:{tmp_path}", word, "en") == {word, *others}
    method = methods.build("augment", {"synonyms": f"mythes:{tmp_path}"})
    assert [path.name for path in method.files] == ["th_sv_SE_v2.dat"]
