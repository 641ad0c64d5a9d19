"""Backends: every one answers like the shipped graph; what is missing is said; threads are those of the machine."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import runtime
from probes.types import Item
from runtime import machine
from runtime.backends import BackendError, candidates, find, shipped
from runtime.backends.bound import GRAPH_TOKENS, BoundSession, bucket
from runtime.backends.cuda import tensorrt_options
from runtime.classifier import OnnxClassifier
from runtime.doctor import openvino
from runtime.manifest import ModelFolderError, Onnx, read, verify, write
from runtime.session import open_session, session_options
from tests.fakes_backends import build_variants
from tests.fakes_model import KEYWORDS, build_model_folder

ROOT = Path(__file__).parent.parent
needs_openvino = pytest.mark.skipif(find_spec("openvino") is None, reason="the extra openvino is not installed")
WORDS = [word for words in KEYWORDS.values() for word in words] + ["and", "日本"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("several") / "model"
    build_variants(path)
    return path


def _items(count: int) -> list[Item]:
    rng = random.Random(2)

    def text() -> str:
        return " ".join(rng.choices(WORDS, k=rng.randrange(12)))

    return [Item(text(), text() if rng.random() < 0.3 else None) for _ in range(count)]


def test_a_manifest_without_variants_says_nothing_of_them(tmp_path: Path) -> None:
    """So the manifests written before there were any stay what they were, byte for byte."""
    path = build_model_folder(tmp_path / "plain")
    assert b"variants" not in (path / "manifest.json").read_bytes()
    assert verify(ROOT / "models" / "topics").variants == ()


def test_variants_are_part_of_the_model(folder: Path, tmp_path: Path) -> None:
    manifest = verify(folder)
    assert [one.file for one in manifest.variants] == ["model.fp32.onnx"]
    assert manifest.sha256 != replace(manifest, variants=()).sha256
    path = tmp_path / "model"
    build_variants(path)
    with pytest.raises(ModelFolderError, match="different files"):
        write(path, replace(read(path), variants=(Onnx("model.onnx", 17, "fp32"),)))
    (path / "model.fp32.onnx").unlink()
    with pytest.raises(ModelFolderError, match=r"model\.fp32\.onnx: missing"):
        verify(path)
    with pytest.raises(ModelFolderError, match=r"does not name model\.fp32\.onnx"):
        write(path, read(path))


@pytest.mark.parametrize(
    "wanted",
    [
        "onnxruntime:int8",
        "onnxruntime:fp32",
        pytest.param("openvino:fp32", marks=needs_openvino),
        pytest.param("openvino:int8", marks=needs_openvino),
        pytest.param("openvino", marks=needs_openvino),
    ],
)
def test_every_backend_answers_like_the_shipped_graph(folder: Path, wanted: str) -> None:
    """The weights are powers of two, which every precision holds exactly."""
    items = [*_items(60), Item("vote " * 60), Item("")]
    plain = runtime.load(folder, threads=1)
    chosen = runtime.load(folder, threads=1, backend=wanted)
    assert str(chosen.choice).startswith(wanted)
    assert (chosen.backend.name, chosen.backend.precision) == (chosen.choice.backend, chosen.choice.precision)
    np.testing.assert_array_equal(chosen.predict(items).logits, plain.predict(items).logits)
    with ThreadPoolExecutor(4) as pool:
        for answer in pool.map(chosen, [items] * 8):
            np.testing.assert_array_equal(answer, plain(items))
    assert chosen.providers
    chosen.close()
    with pytest.raises(RuntimeError, match="closed"):
        chosen(items)


def test_what_a_name_means(folder: Path) -> None:
    manifest = read(folder)
    assert find(manifest, "onnxruntime") == shipped(manifest)
    assert find(manifest, "onnxruntime:fp32").graph == manifest.variants[0]
    assert [str(one) for one in candidates(manifest, ["onnxruntime"])] == ["onnxruntime:int8", "onnxruntime:fp32"]


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("openvno", "did you mean 'openvino'"),
        ("onnxruntime:bf16", "could run onnxruntime:int8, onnxruntime:fp32; the folder has graphs in int8, fp32"),
        ("cuda", "install onnxruntime-gpu"),
        ("tensorrt", "TensorrtExecutionProvider"),
    ],
)
def test_what_cannot_be_had_is_told(folder: Path, wanted: str, said: str) -> None:
    with pytest.raises(BackendError, match=said):
        runtime.load(folder, backend=wanted)


def test_without_openvino_it_is_no_candidate_and_the_package_is_named(folder: Path) -> None:
    program = (
        "import sys; sys.modules['openvino'] = None\n"  # as Python marks a module that is not there
        "from runtime.backends import candidates, find; from runtime.manifest import read\n"
        f"manifest = read({str(folder)!r})\n"
        "print({one.backend for one in candidates(manifest)})\n"
        "try: find(manifest, 'openvino')\nexcept Exception as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.splitlines()[:1] == ["{'onnxruntime'}"], done.stderr
    assert "pip install -c constraints.txt -e '.[openvino]'" in done.stdout


@needs_openvino
def test_openvino_reports_nothing_to_anybody(folder: Path, tmp_path: Path) -> None:
    """Its package sends a message at every import, and keeps a client's id in the home folder."""
    program = (
        f"import sys, runtime; runtime.load({str(folder)!r}, threads=1, backend='openvino')([])\n"
        "print(sorted(name for name in sys.modules if name.startswith('openvino_telemetry')))"
    )
    environment = {**os.environ, "HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
    assert list(tmp_path.iterdir()) == []


def test_doctor_tells_of_openvino() -> None:
    told = openvino(("amx_bf16", "avx2"))
    assert "amx_bf16" in told.found and "avx2" not in told.found
    assert told.ok is (True if find_spec("openvino") else None)


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({}, None),
        ({"sys/fs/cgroup/cpu.max": "max 100000\n"}, None),
        ({"sys/fs/cgroup/cpu.max": "150000 100000\n"}, 1.5),
        ({"sys/fs/cgroup/cpu.max": "50000 100000\n"}, 0.5),
        ({"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/cpu.max": "300000 100000"}, 3),
        ({"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/cpu.max": "400000 100000"}, 4),
        ({"proc/self/cgroup": "0::/../..\n", "sys/fs/cgroup/cpu.max": "rubbish"}, None),
        ({"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "200000\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n"}, 2),
    ],
)
def test_a_cgroup_quota_bounds_the_threads(tmp_path: Path, files: dict[str, str], quota: float | None) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    allowed = len(os.sched_getaffinity(0))
    assert min(machine.quotas(tmp_path), default=None) == quota
    assert machine.usable_cpus(tmp_path) == (allowed if quota is None else max(1, min(allowed, int(quota))))


def test_workers_share_the_cpus() -> None:
    assert machine.share(1) == machine.usable_cpus()
    assert machine.share(10_000) == 1


def test_flags_are_those_kernels_are_chosen_by(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text(
        "model name\t: X\nflags\t\t: fpu vme amx_bf16 avx2\n\nflags\t: fpu amx_bf16\n"
    )
    assert machine.cpu_flags(tmp_path) == ("amx_bf16", "avx2")
    assert machine.cpu_flags(tmp_path / "nowhere") == ()


@pytest.mark.parametrize(("threads", "spins"), [(None, "1"), (3, "0")])
def test_the_options_of_a_session(threads: int | None, spins: str) -> None:
    options = session_options(threads)
    assert options.intra_op_num_threads == (threads or machine.usable_cpus())
    assert options.inter_op_num_threads == 1
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == spins
    assert (options.enable_mem_pattern, options.enable_cpu_mem_arena) == (False, True)


def test_buckets_hold_the_batch_and_stay_small() -> None:
    for rows in range(1, 200):
        for length in range(1, 600, 7):
            found = bucket(rows, length)
            if found is None:
                assert length > 512 or 2 * rows * max(2 * length, 16) > GRAPH_TOKENS
                continue
            tall, wide = found
            assert rows <= tall < 2 * rows and length <= wide < max(2 * length, 17)
            assert tall * wide <= GRAPH_TOKENS
    assert len({bucket(rows, length) for rows in range(1, 300) for length in range(1, 600)}) < 50


def test_bound_buffers_answer_like_a_plain_run(folder: Path) -> None:
    """On the CPU's memory; on a GPU the same buffers are captured in a graph."""
    session = open_session(folder / "model.onnx", ["CPUExecutionProvider"], 1)
    bound = BoundSession(session, read(folder).onnx.pad_id, device="cpu")
    rng = np.random.default_rng(0)
    for rows, length in [(3, 5), (1, 16), (4, 9), (3, 5), (2, 40), (60, 70), (4, 16)]:
        ids = rng.integers(0, 20, (rows, length))
        mask = (np.arange(length) < rng.integers(1, length + 1, (rows, 1))).astype(np.int64)
        (expected,) = session.run(["logits"], {"input_ids": ids, "attention_mask": mask})
        answer = bound.run(ids, mask, np.zeros_like(ids))
        np.testing.assert_array_equal(answer, expected)
        before = answer.copy()
        bound.run(ids[::-1].copy(), mask, np.zeros_like(ids))
        np.testing.assert_array_equal(answer, before)  # no later run writes into it
    assert set(bound.slots) == {(4, 16), (1, 16), (2, 64)}


def test_a_first_run_is_a_captured_one_too(folder: Path) -> None:
    """So a graph that cannot be captured fails where it is opened, and not under its first request."""
    session = open_session(folder / "model.onnx", ["CPUExecutionProvider"], 1)
    bound = BoundSession(session, read(folder).onnx.pad_id, device="cpu")
    ids = np.ones((1, 4), dtype=np.int64)
    (expected,) = session.run(["logits"], {"input_ids": ids, "attention_mask": ids})
    np.testing.assert_array_equal(bound.run(ids, ids, np.zeros_like(ids)), expected)
    assert set(bound.slots) == {(1, 16)}


class Threads:
    """A session that writes down which threads run it."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.ran: set[int] = set()

    def run_with_iobinding(self, *arguments: Any) -> None:
        self.ran.add(threading.get_ident())
        self._session.run_with_iobinding(*arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)


def test_one_thread_makes_all_runs_of_bound_buffers(folder: Path) -> None:
    session = Threads(open_session(folder / "model.onnx", ["CPUExecutionProvider"], 1))
    bound = BoundSession(session, read(folder).onnx.pad_id, device="cpu")
    ids = np.ones((2, 5), dtype=np.int64)
    for _ in range(3):  # as an engine has it: one thread warms it, two take turns
        asking = threading.Thread(target=bound.run, args=(ids, ids, ids))
        asking.start()
        asking.join()
    assert len(session.ran) == 1 and set(bound.slots) == {(2, 16)}


def test_tensorrt_is_told_of_every_shape() -> None:
    options = tensorrt_options(["input_ids", "attention_mask"])
    assert options["trt_profile_min_shapes"] == "input_ids:1x1,attention_mask:1x1"
    assert options["trt_profile_max_shapes"] == "input_ids:512x512,attention_mask:512x512"
    assert options["trt_fp16_enable"] == options["trt_engine_cache_enable"] == "1"


@pytest.mark.gpu
def test_cuda_answers_like_the_cpu(folder: Path) -> None:
    items = _items(100)
    cpu = OnnxClassifier(folder, providers=["CPUExecutionProvider"])
    try:
        gpu = runtime.load(folder, backend="cuda:fp32")
    except BackendError as error:
        pytest.skip(str(error))
    assert gpu.providers[0] == "CUDAExecutionProvider"
    for _ in range(3):  # the first captures, the others replay
        np.testing.assert_allclose(gpu.predict(items).logits, cpu.predict(items).logits, atol=1e-3)
