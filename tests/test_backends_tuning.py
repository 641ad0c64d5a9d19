"""Choosing a backend: the rule for labels, worked out by hand; what is measured, kept, read again and started with."""

from __future__ import annotations

import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import runtime
from runtime import tuned
from runtime.backends import BackendError, Choice, shipped
from runtime.cli import app
from runtime.manifest import Onnx, read, write
from runtime.tokenization import Row
from runtime.tuning import WORTH, Agreed, Measured, Tuning, agreements, judge, trace, tune
from service.opening import open_model
from service.settings import Settings
from tests.fakes_backends import WORDS, add_narrow, add_wrong, build_variants, examples

MANY = 101


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tuned") / "model"
    build_variants(path)
    add_wrong(path)
    return path


@pytest.fixture(scope="module")
def found(folder: Path) -> Tuning:
    return tune(folder, examples(MANY), names=["onnxruntime"], threads=1)


@pytest.mark.parametrize(
    ("same", "n", "holds"),
    [(14, 14, True), (13, 14, True), (12, 14, False), (1, 1, True), (0, 1, False), (99, 100, True), (98, 100, False),
     (990, 1000, True), (989, 1000, False)],
)  # fmt: skip
def test_few_texts_are_judged_by_their_interval_many_by_their_share(same: int, n: int, holds: bool) -> None:
    assert Agreed(same, n).holds is holds


@pytest.mark.parametrize(
    ("agreement", "said"),
    [
        ({"de": Agreed(150, 150), "en": Agreed(150, 150)}, None),
        ({"de": Agreed(150, 150), "en": Agreed(149, 149)}, "too few texts to tell (299 of 300)"),
        ({"de": Agreed(300, 300), "en": Agreed(10, 14)}, "other labels in en 10 of 14"),
        ({"de": Agreed(1, 9), "en": Agreed(1, 9), "fr": Agreed(1, 9), "he": Agreed(1, 9)},
         "other labels in de 1 of 9, en 1 of 9, fr 1 of 9 and 1 more"),
        # a single text of each language may differ by chance, but not in all of them
        ({lang: Agreed(13, 14) for lang in map(str, range(30))}, "other labels in 30 of 420 texts"),
    ],
)  # fmt: skip
def test_the_verdict(agreement: dict[str, Agreed], said: str | None) -> None:
    assert judge(agreement) == said


def test_an_answer_that_is_no_number_agrees_with_none() -> None:
    rows = examples(2)
    same = agreements(rows, np.array([0, 1, 2, 0, 1, -1]), np.array([0, 1, 0, 0, -1, -1]))
    assert same == {"de": Agreed(1, 2), "en": Agreed(2, 2), "ru": Agreed(0, 2)}


def test_the_trace_is_mixed_and_within_the_model(folder: Path) -> None:
    rows = [Row(list(range(length)), [0] * length, False) for length in (3, 7, 12)]
    batches = trace(rows, read(folder))
    assert [len(ids) for ids, _, _ in batches] == [1, 1, 1, 4, 8, 16, 32, 4]
    assert max(ids.shape[1] for ids, _, _ in batches) <= read(folder).max_length
    assert all(ids.shape == mask.shape == types.shape for ids, mask, types in batches)


def test_every_candidate_is_measured_and_one_that_speaks_otherwise_is_refused(found: Tuning) -> None:
    files = [row.choice.graph.file for row in found.rows]
    assert files == ["model.onnx", "model.fp32.onnx", "model.wrong.onnx"]
    own, exact, wrong = found.rows
    assert found.reference == exact.choice
    assert (own.verdict, own.speed) == ("shipped", 1.0)
    assert exact.verdict == "eligible" and exact.all == Agreed(3 * MANY, 3 * MANY)
    assert wrong.verdict == f"other labels in de 0 of {MANY}" and not wrong.eligible
    assert wrong.worst == "de" and wrong.agreement["en"] == Agreed(MANY, MANY)
    assert exact.speed and exact.speed > 0


def test_the_fastest_eligible_one_that_is_worth_it_is_chosen(found: Tuning) -> None:
    own, exact, wrong = found.rows

    def chosen(exactly: float, wrongly: float) -> Choice:
        rows = (own, replace(exact, speed=exactly), replace(wrong, speed=wrongly))
        return replace(found, rows=rows).chosen

    assert chosen(2.0, 9.0) == exact.choice
    assert chosen(1.04, 9.0) == own.choice
    assert replace(found, rows=(own, Measured(exact.choice, None, {}, "failed: no"))).chosen == own.choice


def test_a_candidate_that_cannot_be_opened_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    path = tmp_path / "model"
    build_variants(path)
    (path / "broken.onnx").write_bytes(b"no graph")
    write(path, replace(read(path), variants=(*read(path).variants, Onnx("broken.onnx", 17, "int8"))))
    rows = tune(path, examples(MANY), names=["onnxruntime"], threads=1).rows
    assert rows[2].verdict.startswith("failed: ") and "broken.onnx" in rows[2].verdict and rows[2].speed is None
    assert rows[1].verdict == "eligible"


@pytest.mark.parametrize("rows", [32, 64])
def test_a_candidate_that_fails_on_a_shape_is_told_and_the_others_go_on(tmp_path: Path, rows: int) -> None:
    """It opens, and then fails while speed is measured, on batches of 32 at most, or labels, on larger ones."""
    path = tmp_path / "model"
    build_variants(path)
    add_narrow(path, rows)
    own, exact, narrow = tune(path, examples(MANY), names=["onnxruntime"], threads=1).rows
    assert narrow.verdict.startswith("failed: ") and "Gather" in narrow.verdict and not narrow.agreement
    assert (narrow.speed is None) == (rows == 32)
    assert (own.verdict, exact.verdict, exact.all.n) == ("shipped", "eligible", 3 * MANY)
    (path / "model.onnx").write_bytes((path / "model.narrow.onnx").read_bytes())
    write(path, read(path))
    with pytest.raises(BackendError, match=r"onnxruntime:int8: .*Gather"):
        tune(path, examples(MANY), names=["onnxruntime"], threads=1)


def test_pairs_are_made_for_a_model_of_pairs(tmp_path: Path) -> None:
    """Beside an English word for sports, the first label, it no longer matters what the German one means."""
    path = tmp_path / "model"
    build_variants(path)
    add_wrong(path)
    rows = [one for one in examples(MANY) if one.lang in ("de", "en")]
    assert tune(path, rows, names=["onnxruntime"], threads=1).rows[2].agreement["de"] == Agreed(0, MANY)
    write(path, replace(read(path), pairs=True))
    assert tune(path, rows, names=["onnxruntime"], threads=1).rows[2].agreement["de"] == Agreed(MANY, MANY)


def test_in_a_hurry_only_what_may_be_chosen_is_compared(folder: Path) -> None:
    own, exact, wrong = tune(folder, examples(MANY), names=["onnxruntime"], threads=1, quick=True).rows
    assert own.verdict == "shipped" and exact.all.n == 3 * MANY
    assert (wrong.verdict == "not worth a change") == ((wrong.speed or 0) < WORTH) == (not wrong.agreement)


def _picked(found: Tuning) -> Tuning:
    own, exact, wrong = found.rows
    return replace(found, rows=(own, replace(exact, speed=2.0), wrong))


def test_what_is_kept_is_read_again_for_this_model_and_machine_alone(
    found: Tuning, folder: Path, tmp_path: Path
) -> None:
    manifest = read(folder)
    assert tuned.recall(manifest, 1, tmp_path) is None
    path = tuned.keep(_picked(found), 1, tmp_path)
    said = json.loads(path.read_text(encoding="utf-8"))
    assert said["model"] == manifest.sha256 and said["machine"]["threads"] == "1"
    assert said["candidates"][2]["agreement"]["de"] == {"same": 0, "n": MANY}
    assert tuned.recall(manifest, 1, tmp_path) == found.reference
    assert tuned.recall(manifest, 2, tmp_path) is None
    assert tuned.recall(replace(manifest, licence="MIT"), 1, tmp_path) is None
    assert list(folder.glob("tuning*")) == []


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"chosen": 3}', '{"chosen": {"backend": "gone", "precision": "fp32", "file": "x"}}']
)
def test_a_broken_file_is_passed_over_with_a_line(
    folder: Path, tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tuned.place(read(folder), 1, tmp_path)
    path.parent.mkdir(parents=True)
    path.write_text(content)
    with caplog.at_level(logging.WARNING):
        assert tuned.recall(read(folder), 1, tmp_path) is None
    assert "babelproof tune" in caplog.text


def test_the_service_starts_with_what_was_found(found: Tuning, folder: Path, tmp_path: Path) -> None:
    settings = Settings(model=folder, threads=1, cache=tmp_path)
    assert open_model(settings).choice == shipped(read(folder))
    tuned.keep(_picked(found), 1, tmp_path)
    assert open_model(settings).choice == open_model(settings, folder, threads=2).choice == found.reference
    assert open_model(replace(settings, backend="shipped")).choice == shipped(read(folder))
    assert open_model(replace(settings, backend="onnxruntime:fp32")).choice == found.reference
    assert runtime.load(folder, threads=1).choice == shipped(read(folder))


def test_auto_measures_once(folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    texts = tmp_path / "texts.jsonl"
    rows = [{"id": one.id, "lang": one.lang, "text": one.item.text} for one in examples(20)]
    texts.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    settings = Settings(model=folder, threads=1, backend="auto", demo=texts, cache=tmp_path / "cache")
    first = open_model(settings).choice
    texts.unlink()
    assert open_model(settings).choice == first
    with pytest.raises(BackendError, match=r"nothing to measure .*texts\.jsonl"):
        open_model(replace(settings, cache=tmp_path / "other"))


def test_auto_measures_once_for_all_who_start_at_once(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As workers do when the folder under them is swapped for one that was never measured."""
    texts = tmp_path / "texts.tsv"
    texts.write_text("text\tlang\n" + "".join(f"{word}\t{lang}\n" for lang, word in WORDS.items()), encoding="utf-8")
    ready = threading.Barrier(3)

    def start() -> Choice:
        ready.wait()
        return tuned.choose(folder, "auto", threads=1, texts=texts, cache=tmp_path / "cache")

    with caplog.at_level(logging.INFO, "babelproof.tuning"), ThreadPoolExecutor(3) as pool:
        chosen = {one.result() for one in [pool.submit(start) for _ in range(3)]}
    assert len(chosen) == 1 and caplog.text.count("candidates for") == 1


def test_a_cache_that_cannot_be_written_is_told(folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    texts = tmp_path / "texts.tsv"
    texts.write_text("text\tlang\n" + "".join(f"{word}\t{lang}\n" for lang, word in WORDS.items()), encoding="utf-8")
    (tmp_path / "file").write_text("")
    with caplog.at_level(logging.WARNING):
        tuned.choose(folder, "auto", threads=1, texts=texts, cache=tmp_path / "file")
    assert "cannot be kept" in caplog.text


def test_the_command(folder: Path, tmp_path: Path) -> None:
    texts = tmp_path / "texts.tsv"
    lines = (f"{one.item.text}\t{one.lang}\n" for one in examples(MANY))
    texts.write_text("text\tlang\n" + "".join(lines), encoding="utf-8")
    usual = ["tune", str(folder), "--data", str(texts), "--backend", "onnxruntime", "--cache", str(tmp_path)]

    def call(*more: str) -> str:
        done = CliRunner().invoke(app, [*usual, *more], env={"COLUMNS": "220", "TERM": "dumb"})
        assert done.exit_code == 0, done.output
        return done.stdout

    shown = call("--threads", "1")
    assert f"other labels in de 0 of {MANY}" in shown and f"1.0000 of {3 * MANY}" in shown and "reference" in shown
    assert tuned.place(read(folder), 1, tmp_path).is_file()
    said = json.loads(call("--threads", "1", "--json"))
    assert [row["file"] for row in said["candidates"]] == ["model.onnx", "model.fp32.onnx", "model.wrong.onnx"]
    for wrong, told in ((["--backend", "openvno"], "did you mean"), (["--data", "no.jsonl"], "no.jsonl")):
        done = CliRunner().invoke(app, [*usual, *wrong])
        assert done.exit_code == 2 and told in done.output and "Traceback" not in done.output
