"""Manifests: written and read back, and one changed byte anywhere in a folder refused by name."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from runtime.manifest import (
    Agreement,
    Manifest,
    ModelFolderError,
    Onnx,
    Parity,
    Score,
    Smoothing,
    read,
    verify,
    write,
)
from runtime.smoothed import SmoothedClassifier
from tests.fakes_model import build_model_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return build_model_folder(tmp_path / "model")


def test_round_trip(folder: Path) -> None:
    written = write(
        folder,
        replace(
            read(folder),
            pairs=True,
            recipe_sha256="ab" * 32,
            data_sha256={"sib200": "cd" * 32},
            parity=Parity(1e-6, 10, {"sw": Agreement(0.975, 40)}),
            scores={"en": Score(0.9, 0.85, 0.94, 204), "zh": Score(0.8, 0.7, 0.9, 204)},
            languages=("en", "zh"),
            licence="CC BY-SA 4.0",
        ),
    )
    assert read(folder) == verify(folder) == written
    assert written.files.keys() == {"README.md", "model.onnx", "tokenizer.json"}
    assert written.created_by.startswith("babelproof")


def test_same_content_same_identity(tmp_path: Path) -> None:
    one, two = (verify(build_model_folder(tmp_path / name)) for name in ("one", "two"))
    assert one.sha256 == two.sha256 != replace(one, licence="MIT").sha256
    assert json.loads((tmp_path / "one" / "manifest.json").read_text())["sha256"] == one.sha256


@pytest.mark.parametrize("name", ["README.md", "model.onnx", "tokenizer.json"])
def test_one_changed_byte_is_refused_by_name(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(ModelFolderError, match=f"{name}: sha256 differs"):
        verify(folder)


def test_any_changed_byte_of_the_manifest_is_refused(folder: Path) -> None:
    path = folder / "manifest.json"
    original = path.read_bytes()
    for place in range(len(original)):
        path.write_bytes(original[:place] + bytes([original[place] ^ 1]) + original[place + 1 :])
        with pytest.raises(ModelFolderError, match=r"manifest\.json"):
            read(folder)
    for changed in (original + b" ", original[:-1], b"", b"[]", b"{}", b"\xff\xfe", b"[" * 100_000):
        path.write_bytes(changed)
        with pytest.raises(ModelFolderError, match=r"manifest\.json"):
            read(folder)


def test_missing_extra_and_resized_files_are_named_together(folder: Path) -> None:
    (folder / "README.md").unlink()
    (folder / "tokenizer.json").write_text("{}")
    (folder / "sub").mkdir()
    (folder / "sub" / "more.bin").write_bytes(b"1")
    (folder / ".DS_Store").write_bytes(b"nobody's")
    with pytest.raises(ModelFolderError) as caught:
        verify(folder)
    told = str(caught.value)
    assert "README.md: missing" in told
    assert "tokenizer.json: 2 bytes" in told
    assert "sub/more.bin: not in the manifest" in told
    assert "DS_Store" not in told


def test_a_folder_without_manifest_says_what_to_do(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ModelFolderError, match=r"has no manifest\.json.*babelproof import"):
            read(path)


def test_unknown_keys_and_formats_are_named(folder: Path) -> None:
    path = folder / "manifest.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"colour": "red"}))
    with pytest.raises(ModelFolderError, match="colour"):
        read(folder)
    path.write_text(json.dumps(content | {"format": 2}))
    with pytest.raises(ModelFolderError, match="reads format 1, not 2"):
        read(folder)


def forge(folder: Path, **changes: object) -> None:
    """Change the manifest as anybody can who knows how its digest is made."""
    content = json.loads((folder / "manifest.json").read_text()) | changes
    del content["sha256"]
    digest = hashlib.sha256(json.dumps(content).encode()).hexdigest()
    text = json.dumps({"sha256": digest, **content}, indent=2, ensure_ascii=False) + "\n"
    (folder / "manifest.json").write_text(text, encoding="utf-8")


def test_a_digest_anybody_can_make_opens_no_file_that_is_not_digested(folder: Path, tmp_path: Path) -> None:
    forge(folder, licence="MIT")
    assert verify(folder).licence == "MIT", "or this forges nothing"
    for name in ("embeddings.onnx", "body.onnx"):
        shutil.copyfile(folder / "model.onnx", tmp_path / name)
    for start in ("../", f"{tmp_path}/"):
        halves = {"embeddings": f"{start}embeddings.onnx", "body": f"{start}body.onnx"}
        forge(folder, smoothing={"sigma": 0.5, "special_ids": [], **halves})
        with pytest.raises(ModelFolderError, match=r"files does not name .*/embeddings\.onnx"):
            SmoothedClassifier(folder)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_what_is_no_number_is_refused_by_name(folder: Path, number: str) -> None:
    forge(folder, scores={"en": {"accuracy": "?", "low": 0.1, "high": 0.9, "n": 7}})
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace('"?"', number))
    with pytest.raises(ModelFolderError, match=r"manifest\.json: scores\.en\.accuracy: .* finite number"):
        read(folder)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"labels": ("a", "a")}, "labels"),
        ({"labels": ("a",)}, "labels"),
        ({"max_length": 2}, "max_length"),
        ({"onnx": Onnx("other.onnx")}, "other.onnx"),
        ({"smoothing": Smoothing(0.5)}, "files does not name embeddings.onnx"),
        ({"smoothing": Smoothing(0.5, (), "model.onnx", "README.md")}, "different files"),
        ({"smoothing": Smoothing(0.5, (), "README.md", "../body.onnx")}, r"files does not name \.\./body\.onnx"),
    ],
)
def test_nonsense_is_not_written(folder: Path, change: dict[str, object], told: str) -> None:
    before: Manifest = read(folder)
    with pytest.raises(ModelFolderError, match=told):
        write(folder, replace(before, **change))  # type: ignore[arg-type]
    assert read(folder) == before
    assert not list(folder.glob(".manifest*"))
