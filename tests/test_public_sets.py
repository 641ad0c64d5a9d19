"""Public sets by their own names: from a folder where there is one, else through the datasets library."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from training.data import DataError, PublicSet, Source, load, public_sets
from training.tables import read

PAGE = Path(__file__).parent.parent / "docs" / "data.md"


def test_every_set_is_whole_and_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert {"xnli", "paws-x", "sib200", "americasnli", "nusax"} <= {
        n for n, known in public_sets().items() if known.hub
    }
    for name, known in public_sets().items():
        assert bool(known.hub) == bool(known.languages), name
        for split in known.splits if known.hub else ():
            for lang in known.places:
                assert known.source(split, lang).languages == (lang,)
        languages = len(known.places) if known.hub else "-"
        told = f"| {known.title} | {known.local or name} | {known.hub or '-'} | {languages} | {known.licence} |"
        assert told in page, f"docs/data.md does not say: {told}"
        assert name == known.local or f"| `{name}` {told}" in page
    assert public_sets()["pawsx"] is public_sets()["paws-x"]
    assert public_sets()["sib200"].places["de"] == "deu_Latn"


def test_the_page_shows_sources_that_can_be_read() -> None:
    block = re.search(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    sources = [read(Source, table, PAGE.name) for table in tomllib.loads(block[1])["data"]]
    assert [source.kind for source in sources] == ["file", "hub"]
    assert sources[0].labels == {"1": "bad", "5": "good"}


def rows(path: Path, content: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in content))


def hub_set(folder: Path) -> PublicSet:
    """A set like PAWS-X on the hub: a configuration a language, other columns, numbered classes, gaps."""
    for lang in ("en", "de"):
        for split in ("validation", "test"):
            rows(folder / lang / f"{split}.jsonl", [
                {"id": 7, "sentence1": f"{lang} a", "sentence2": "b", "label": 1},
                {"id": 8, "sentence1": "NS", "sentence2": "b", "label": 0},
                {"id": 9, "sentence1": f"{lang} c", "sentence2": "d", "label": 0},
            ])  # fmt: skip
    configs = "".join(
        f"- config_name: {lang}\n  data_files:\n"
        + "".join(f"  - split: {split}\n    path: {lang}/{split}.jsonl\n" for split in ("validation", "test"))
        for lang in ("en", "de")
    )
    (folder / "README.md").write_text(f"---\nconfigs:\n{configs}---\n")
    return PublicSet(
        title="Toy",
        licence="CC0 1.0",
        local="toyx",
        hub=str(folder),
        languages=("en", "de"),
        splits={"dev": "validation", "test": "test"},
        columns={"text": "sentence1", "pair": "sentence2"},
        labels={"0": "different", "1": "same"},
        absent=("", "NS"),
    )


def test_a_set_comes_from_the_hub_where_no_folder_is(tmp_path: Path) -> None:
    public = {"toy-x": hub_set(tmp_path / "hub")}
    loaded = load([Source("toy-x:dev")], tmp_path / "data", public=public)
    assert [(row.id, row.lang, row.item.text, row.item.pair, row.label) for row in loaded.examples] == [
        ("7", "en", "en a", "b", "same"),
        ("9", "en", "en c", "d", "different"),
        ("7", "de", "de a", "b", "same"),
        ("9", "de", "de c", "d", "different"),
    ]
    assert loaded.notes == (f"toy-x:dev: 4 rows from the hub, {tmp_path / 'hub'}; 2 more lack a text or a label",)
    assert len(loaded.hashes) == 2
    only = load([Source("toy-x:test")], tmp_path / "data", ["de", "sw"], public=public)
    assert {row.lang for row in only.examples} == {"de"}
    rows(tmp_path / "data" / "toyx" / "dev.jsonl", [{"text": "here", "text_pair": "b", "label": "same"}])
    local = load([Source("toy-x:dev")], tmp_path / "data", public=public)
    assert [row.item.text for row in local.examples] == ["here"]
    assert "toyx/dev.jsonl in" in local.notes[0]


def test_what_the_hub_has_not(tmp_path: Path) -> None:
    public = {"toy-x": hub_set(tmp_path / "hub"), "xed": PublicSet(title="XED", licence="CC BY 4.0")}
    with pytest.raises(DataError, match=r"has no sw; its languages are en, de, its splits dev, test\."):
        load([Source("toy-x:dev:de,sw")], tmp_path, public=public)
    with pytest.raises(DataError, match=rf"has no train; .* \(the data folder {tmp_path} has no set 'toy-x' or 'toyx'"):
        load([Source("toy-x:train")], tmp_path, public=public)
    with pytest.raises(DataError, match=r"to name others, write hub:NAME:SPLIT"):
        load([Source("toy-x:dev", text="premise")], tmp_path, public=public)
    with pytest.raises(DataError, match=r"no rows in th; the languages there are none"):
        load([Source("toy-x:dev")], tmp_path, ["th"], public=public)
    with pytest.raises(DataError, match=r"has no set 'xed'\. Name the folder that has it with --data"):
        load([Source("xed:test")], tmp_path, public=public)
    broken = hub_set(tmp_path / "broken")
    (tmp_path / "broken" / "de" / "test.jsonl").write_text('{"id": 1')
    with pytest.raises(DataError, match=r"the datasets library could not load it"):
        load([Source("toy-x:test:de")], tmp_path, public={"toy-x": broken})


def test_a_folder_a_language_with_class_names(tmp_path: Path) -> None:
    """As the hub's own conversion to Parquet lays a set out."""
    import datasets

    names = datasets.ClassLabel(names=["bad", "good"])
    features = datasets.Features({"text": datasets.Value("string"), "label": names})
    for place in ("german", "english"):
        (tmp_path / "hub" / place / "test").mkdir(parents=True)
        made = datasets.Dataset.from_dict({"text": [place, "b"], "label": [1, 0]}, features=features)
        made.to_parquet(tmp_path / "hub" / place / "test" / "0000.parquet")
    known = PublicSet(title="Toy", licence="CC0 1.0", hub=str(tmp_path / "hub"), layout="folder",
                      languages=("de=german", "en=english"))  # fmt: skip
    loaded = load([Source("toy:test:de")], tmp_path, public={"toy": known})
    assert [(row.id, row.lang, row.item.text, row.label) for row in loaded.examples] == [
        ("1", "de", "german", "good"),
        ("2", "de", "b", "bad"),
    ]
    file = load([Source("file:hub/german/test/0000.parquet")], tmp_path)
    assert [row.label for row in file.examples] == ["good", "bad"]


def test_a_hub_set_of_ones_own(tmp_path: Path) -> None:
    folder = tmp_path / "hubset"
    rows(
        folder / "train.jsonl", [{"sentence": "a team", "topic": "sports"}, {"sentence": "a nurse", "topic": "health"}]
    )
    source = Source(f"hub:{folder}:train", text="sentence", label="topic")
    loaded = load([source], tmp_path)
    assert [(row.item.text, row.label, row.lang) for row in loaded.examples] == [
        ("a team", "sports", "en"),
        ("a nurse", "health", "en"),
    ]
    assert len(loaded.hashes[source.source]) == 64
    with pytest.raises(DataError, match="no column 'txt'; the columns are sentence, topic"):
        load([Source(f"hub:{folder}:train", text="txt")], tmp_path)
