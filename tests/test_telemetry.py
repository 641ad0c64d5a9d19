"""Nothing is reported to anybody: ONNX Runtime, which would, is told not to before it is imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
QUIET = ("CI", "ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS", "GITHUB_ACTIONS", "TF_BUILD", "XDG_CACHE_HOME")
"""What would keep it quiet, or put its files elsewhere, without us."""
OPEN = (
    "import onnxruntime; onnxruntime.InferenceSession('models/topics/model.onnx', providers=['CPUExecutionProvider'])"
)


def files_left_at_home(home: Path, program: str) -> list[str]:
    home.mkdir()
    environment = {key: value for key, value in os.environ.items() if key not in QUIET} | {"HOME": str(home)}
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, check=True, timeout=120)
    return [str(file.relative_to(home)) for file in home.rglob("*onnxruntime*")]


def test_onnx_runtime_reports_nothing(tmp_path: Path) -> None:
    if not files_left_at_home(tmp_path / "theirs", OPEN):
        pytest.skip("this build of ONNX Runtime keeps no reports even when it is not told so")
    ours = "import runtime; from probes.types import Item; runtime.load('models/topics').predict([Item('water')])"
    assert files_left_at_home(tmp_path / "ours", ours) == []
    pytest.importorskip("torch")
    assert files_left_at_home(tmp_path / "workshop", "import training.graph; " + OPEN) == []
