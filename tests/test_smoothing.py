"""Randomized smoothing: votes, certificates, and noise that reaches content tokens alone, in torch and in ONNX."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import norm

from probes.certificates.smoothing import certify, vote
from probes.types import Example, Item
from runtime.classifier import OnnxClassifier
from runtime.manifest import Manifest, ModelFolderError, Onnx, Smoothing
from runtime.smoothed import SmoothedClassifier
from tests.fakes_training import build_encoder
from training import head
from training.classifier import TorchClassifier
from training.export import write_model

TEXTS = [Item("the football team was big"), Item("a doctor"), Item("today the nurse was a big match")]
PAIRS = [Item("the football", "a doctor was big"), Item("nurse", "the team")]


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def always(share: float) -> Any:
    """A sampler that answers label 1 with this probability, else 0."""
    return lambda draws, rng: (rng.random(draws) < share).astype(np.int64)


def test_a_unanimous_vote_has_the_radius_of_its_exact_bound() -> None:
    found = certify(always(1.0), 0.5, rng(), draws=1000, confidence=0.999)
    lower = 0.001 ** (1 / 1000)
    assert (found.label, found.draws) == (1, 1000)
    assert found.lower == pytest.approx(lower)
    assert found.radius == pytest.approx(0.5 * norm.ppf(lower))
    assert certify(always(1.0), 1.0, rng()).radius == pytest.approx(2 * found.radius)


def test_it_abstains_where_the_labels_are_even() -> None:
    found = certify(always(0.5), 0.5, rng())
    assert (found.label, found.radius) == (None, 0.0)
    assert vote(always(0.5), rng()).label is None
    assert vote(always(0.95), rng()).label == 1
    assert vote(always(0.0), rng(), draws=100).agreed == 100


def test_a_certificate_overstates_a_known_radius_as_seldom_as_it_says() -> None:
    """A linear classifier's smoothed label holds exactly up to its distance from the boundary."""
    distance, sigma, draw = 0.3, 0.5, rng()

    def sample(draws: int, rng: np.random.Generator) -> NDArray[np.int64]:
        return (distance + sigma * rng.standard_normal(draws) > 0).astype(np.int64)

    radii = [certify(sample, sigma, draw, draws=500, confidence=0.95).radius for _ in range(400)]
    # 5 % of 400 is 20; 31 or more has a chance of one in a hundred
    assert 3 <= sum(radius > distance for radius in radii) <= 31
    assert np.mean(radii) > 0.6 * distance, "not vacuous"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: certify(always(1), 0.0, rng()), "sigma .* above 0"),
        (lambda: certify(always(1), 1.0, rng(), draws=0), "draws must be at least 1"),
        (lambda: vote(always(1), rng(), confidence=1.0), "confidence"),
    ],
)
def test_impossible_requests_are_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A torch model of pairs, saved as a stage saves it."""
    from transformers import AutoTokenizer

    place = tmp_path_factory.mktemp("torch")
    encoder = build_encoder(place / "encoder")
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    model = head.build(str(encoder), ("no", "yes"), pooling="pair", dropout=0.1, seed=1, tokenizer=tokenizer)
    model.save_pretrained(place / "model")
    tokenizer.save_pretrained(place / "model")
    return place / "model"


def exported(folder: Path, out: Path, precision: Any) -> Path:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    manifest = Manifest(
        labels=("no", "yes"), languages=("en",), max_length=32, encoder="tiny", licence="CC0-1.0",
        onnx=Onnx(precision=precision), smoothing=Smoothing(0.1, tuple(head.special_ids(tokenizer))),
    )  # fmt: skip
    rows = [Example(str(number), item, "en", "yes") for number, item in enumerate([*TEXTS, *PAIRS])]
    write_model(head.load(folder), tokenizer, out, manifest, rows)
    return out


def test_torch_without_noise_is_the_classifier_and_with_much_it_is_not(folder: Path) -> None:
    classifier = TorchClassifier(folder, max_length=32)
    items = [*TEXTS, *PAIRS]
    clean = classifier(items)
    assert clean.shape == (5, 2) and np.allclose(clean.sum(axis=1), 1, atol=1e-6)
    assert np.allclose(clean[2], classifier([items[2]])[0], atol=1e-6), "batching and padding change nothing"
    still = classifier.noisy(items, 0.0, 3, rng())
    assert (still == clean.argmax(axis=1)).all() and still.shape == (3, 5)
    wild = classifier.noisy(items, 30.0, 40, rng())
    assert (wild != clean.argmax(axis=1)).any()
    assert (wild == classifier.noisy(items, 30.0, 40, rng())).all(), "the random state is an argument"
    assert (classifier.sampler(items[0], 0.0)(7, rng()) == clean[0].argmax()).all()
    only_special = classifier.sampler(Item(""), 100.0)(50, rng())
    assert len(set(only_special.tolist())) == 1, "special tokens get no noise"


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_the_two_halves_of_the_graph_are_the_whole(folder: Path, tmp_path: Path, precision: str) -> None:
    out = exported(folder, tmp_path / "onnx", precision)
    smoothed, whole = SmoothedClassifier(out), OnnxClassifier(out)
    items = [*TEXTS, *PAIRS]
    labels = whole(items).argmax(axis=1)
    for item, label in zip(items, labels, strict=True):
        assert (smoothed.sampler(item, 0.0)(3, rng()) == label).all()
    torch_model = TorchClassifier(folder, max_length=32)
    for item in items:
        ours = smoothed.sampler(item, 0.5)(400, rng()).mean()
        theirs = torch_model.sampler(item, 0.5)(400, rng()).mean()
        assert abs(ours - theirs) < 0.12, "the same noise does the same"
    assert len(set(smoothed.sampler(Item(""), 100.0)(50, rng()).tolist())) == 1
    assert smoothed.sampler(items[0])(5, rng()).shape == (5,)


def test_a_folder_without_the_halves_says_how_to_get_them(folder: Path, tmp_path: Path) -> None:
    out = exported(folder, tmp_path / "onnx", "fp32")
    (out / "body.onnx").write_bytes(b"x")
    with pytest.raises(ModelFolderError, match=r"body\.onnx"):
        SmoothedClassifier(out)
