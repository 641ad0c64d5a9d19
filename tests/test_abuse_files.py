"""Abuse of files: links out of a model folder, names of files elsewhere, weights elsewhere, what a bento is made of."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import onnx
import pytest
import yaml
from onnx import TensorProto

import runtime
from runtime.manifest import ModelFolderError, Onnx, read, write
from tests.fakes_model import build_model_folder
from tests.fakes_service import ROOT


# CVE-2026-27905, #5598, archives: a link in a model folder that leads out of it
@pytest.mark.parametrize("name", ["notes.txt", "sub", ".hidden"])
def test_a_link_out_of_a_model_folder_is_not_followed(abused_folder: Path, tmp_path: Path, name: str) -> None:
    own = build_model_folder(tmp_path / "own")
    (tmp_path / "secret").write_text("secret")
    target = tmp_path if name == "sub" else tmp_path / "secret"
    (own / name).symlink_to(target)
    with pytest.raises(ModelFolderError, match=f"{name} is a link out"):
        runtime.load(own)
    with pytest.raises(ModelFolderError, match="is a link out"):
        write(own, read(own))
    (own / name).unlink()
    (own / "inside.md").symlink_to(own / "README.md")
    write(own, read(own))
    (tmp_path / "switch").symlink_to(own)  # the folder itself may be reached by a link: so models are swapped
    runtime.load(tmp_path / "switch").close()


def test_a_manifest_that_names_a_file_elsewhere_is_refused(tmp_path: Path) -> None:
    own = build_model_folder(tmp_path / "own")
    (tmp_path / "model.onnx").write_bytes((own / "model.onnx").read_bytes())
    for name in ("../model.onnx", str(tmp_path / "model.onnx")):
        content = json.loads((own / "manifest.json").read_text())
        content["onnx"]["file"] = name
        content["files"][name] = content["files"]["model.onnx"]
        (own / "manifest.json").write_text(json.dumps(content))
        with pytest.raises(ModelFolderError):
            runtime.load(own)
    assert Onnx(file="../x").file == "../x"  # no type stops it: the digests do


# weights of a graph that lie elsewhere: refused before ONNX Runtime, which has a guard of its own, is asked
def test_a_graph_cannot_read_files_outside_its_folder(tmp_path: Path) -> None:
    own = build_model_folder(tmp_path / "own")
    graph = onnx.load(own / "model.onnx")
    [table] = [tensor for tensor in graph.graph.initializer if tensor.name == "table"]
    (tmp_path / "weights").write_bytes(np.zeros(10_000, np.float32).tobytes())
    table.ClearField("raw_data")
    table.data_location = TensorProto.EXTERNAL
    for location in ("../weights", str(tmp_path / "weights"), "own/../../weights"):
        del table.external_data[:]
        entry = table.external_data.add()
        entry.key, entry.value = "location", location
        (own / "model.onnx").write_bytes(graph.SerializeToString())
        write(own, read(own))
        with pytest.raises(ModelFolderError, match="ONNX"):
            runtime.load(own)


# CVE-2026-33744 (system_packages), CVE-2026-35043/35044 (setup script, template), CVE-2026-44345 (base_image),
# CVE-2026-24123 (paths), #5598 (links): what a bento is built from is fixed, and says none of these things
def test_the_bento_names_packages_and_files_of_this_repository_alone() -> None:
    bento = yaml.safe_load((ROOT / "bentofile.yaml").read_text())
    assert set(bento) <= {"service", "description", "labels", "include", "exclude", "envs", "python"}
    assert set(bento["python"]) <= {"lock_packages", "packages"}
    for package in bento["python"]["packages"]:
        assert re.fullmatch(r"[A-Za-z0-9_.-]+(\[[a-z,]+\])?==[0-9][\w.]*", package), package
    for name in bento["include"] + bento["exclude"]:
        assert not name.startswith(("/", "~")) and ".." not in name and "\n" not in name
    for pattern in bento["include"]:
        for path in ROOT.glob(pattern.rstrip("/") + ("/**/*" if pattern.endswith("/") else "")):
            assert not path.is_symlink(), path
