"""The house: which room may call which, what importing one pulls in, and how large a file may be."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("probes", "runtime", "service", "training")
ARROWS = {
    "probes": set(),
    "runtime": {"probes"},
    "service": {"runtime", "probes"},
    "training": {"runtime", "probes"},
}
FRONT_DOOR = "runtime/import_command.py"
TORCH = {"torch", "transformers", "optimum", "accelerate", "datasets", "sklearn"}
ONLY_IN_TRAINING = TORCH | {"onnx"}
FORBIDDEN_NAMES = {"utils", "common", "helpers", "base", "misc"}
LONGEST_FILE = 300


def files(room: str) -> Iterator[Path]:
    yield from sorted((ROOT / room).rglob("*.py"))


def imports(path: Path) -> set[str]:
    """Top-level names of every import in the file, lazy ones too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("room", ROOMS)
def test_arrows_never_point_back(room: str) -> None:
    for path in files(room):
        name = path.relative_to(ROOT).as_posix()
        allowed = ARROWS[room] | {room} | ({"training"} if name == FRONT_DOOR else set())
        assert imports(path) & set(ROOMS) <= allowed, name


@pytest.mark.parametrize("room", ["probes", "runtime", "service"])
def test_torch_lives_in_training_alone(room: str) -> None:
    for path in files(room):
        assert not imports(path) & ONLY_IN_TRAINING, path


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import probes", TORCH | {"bentoml", "onnxruntime", "nlpaug", "py3langid"}),
        ("import probes.battery, probes.render", TORCH | {"bentoml", "onnxruntime", "nlpaug"}),
        ("import runtime, runtime.cli, runtime.targets", TORCH | {"bentoml"}),
        ("import service.app", TORCH),
    ],
)
def test_an_import_stays_light(statement: str, absent: set[str]) -> None:
    program = f"{statement}\nimport sys\nprint(' '.join({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & absent


def test_files_have_telling_names_a_first_line_and_a_bearable_length() -> None:
    for room in ROOMS:
        for path in files(room):
            text = path.read_text(encoding="utf-8")
            assert path.stem not in FORBIDDEN_NAMES, path
            assert len(text.splitlines()) <= LONGEST_FILE, path
            assert not text.strip() or ast.get_docstring(ast.parse(text)), f"{path}: no docstring that says what it is"


def test_the_environment_is_read_in_one_place() -> None:
    written = r"(\[\"\w+\"\] = |\.setdefault\()"  # what libraries read is told them where they are first imported
    reading = re.compile(rf"os\.environ(?!{written})|getenv")
    readers = {
        path.relative_to(ROOT).as_posix()
        for room in ROOMS
        for path in files(room)
        if reading.search(path.read_text(encoding="utf-8"))
    }
    assert readers == {"service/settings.py"}
