"""A trained model to a model folder: ONNX, int8, and a gate that compares the folder with what it came from."""

from __future__ import annotations

import os
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnxruntime.capi.onnxruntime_pybind11_state import InvalidArgument, RuntimeException
from rich.console import Console
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from probes.types import Example, Item, Probabilities
from runtime import manifest as folders
from runtime.classifier import OnnxClassifier
from runtime.manifest import Agreement, Manifest, Onnx, Parity
from training import head as _registered  # noqa: F401  our own head, so that transformers can load it
from training.graph import optimise, to_onnx
from training.halves import embedding_tensor, split
from training.int8 import quantise
from training.variants import write_variants

FP32_TOLERANCE = 1e-4
INT8_WISH = 0.97
GRAPH = Onnx().file
_BATCH = 32


class ExportError(ValueError):
    """A model that cannot be exported, or whose export does not answer like it."""


def export(
    model_dir: str | Path,
    out: str | Path,
    *,
    manifest: Manifest,
    rows: Sequence[Example],
    card: str = "",
    console: Console | None = None,
) -> Manifest:
    """Write a model folder from a Hugging Face sequence-classification folder, atomically; returns its manifest.

    `manifest` says what the model is and, by the precision of onnx and of its variants, what to store; their other
    fields, parity and files are filled in here.
    `rows` are real texts, by language, on which the export is compared with the model. Raises ExportError.
    """
    model = AutoModelForSequenceClassification.from_pretrained(
        str(model_dir), attn_implementation="eager", dtype=torch.float32
    ).eval()
    return write_model(model, AutoTokenizer.from_pretrained(str(model_dir)), out, manifest, rows, card, console)


def write_model(
    model: Any,
    tokenizer: Any,
    out: str | Path,
    manifest: Manifest,
    rows: Sequence[Example],
    card: str = "",
    console: Console | None = None,
) -> Manifest:
    """`export` for a model and its tokenizer already in memory."""
    if model.config.num_labels != len(manifest.labels):
        raise ExportError(f"the model has {model.config.num_labels} outputs, {len(manifest.labels)} labels were named")
    if not rows:
        raise ExportError("an export needs some rows on which to compare it with the model")
    compared = [*(row.item for row in rows), Item("a " * manifest.max_length)]
    reference = _probabilities(model, tokenizer, compared, manifest.max_length)
    with replaced(Path(out)) as folder:
        write_tokenizer(tokenizer, folder / folders.TOKENIZER)
        to_onnx(model, tokenizer, folder / GRAPH)
        optimise(folder / GRAPH)
        pad_id = tokenizer.pad_token_id or 0
        return finish(folder, manifest, rows, pad_id, card, reference=reference, console=console)


def finish(
    folder: Path,
    manifest: Manifest,
    rows: Sequence[Example],
    pad_id: int,
    card: str = "",
    *,
    reference: Probabilities | None = None,
    console: Console | None = None,
) -> Manifest:
    """The gate, the precision, the card and the manifest for a folder that holds an fp32 graph and tokenizer.json.

    `reference` holds the answers of the original model for the rows, then for one text over the model's length;
    without one the fp32 graph is its own. Everything is compared as it will be served, tokenisation included.
    """
    console = console or Console(stderr=True)
    precision = manifest.onnx.precision
    graph = onnx.load(folder / GRAPH)
    opset = next(entry.version for entry in graph.opset_import if entry.domain in ("", "ai.onnx"))
    (folder / "README.md").write_text(card or _card(manifest), encoding="utf-8")
    items = [*(row.item for row in rows), Item("a " * manifest.max_length)]
    wanted = manifest.variants
    manifest = replace(manifest, onnx=Onnx(GRAPH, opset, "fp32", pad_id), variants=())
    exact = _answers(folder, manifest, items)
    difference = None if reference is None else float(np.abs(exact - reference).max())
    if difference is not None and not difference <= FP32_TOLERANCE:
        raise ExportError(
            f"the exported graph does not answer like the model: probabilities differ by up to {difference:.2g} "
            f"(allowed {FP32_TOLERANCE:g}); nothing was written"
        )
    if difference is not None:
        console.print(f"fp32 ONNX against the model: probabilities within {difference:.1e} on {len(items)} texts")
    # an fp32 graph beside itself would be a copy
    variants = write_variants(folder, manifest.onnx, tuple(one for one in wanted if one.precision != precision))
    agreement = {}
    tensor = embedding_tensor(graph.graph) if manifest.smoothing else ""
    if precision == "int8":
        graph = quantise(graph)
        onnx.save(graph, folder / GRAPH)
        manifest = replace(manifest, onnx=replace(manifest.onnx, precision="int8"))
        stored = _answers(folder, manifest, items)
        agreement = _agreement(rows, exact if reference is None else reference, stored)
        _tell(agreement, console)
    if manifest.smoothing:
        first, second = split(graph, tensor)
        onnx.save(first, folder / manifest.smoothing.embeddings)
        onnx.save(second, folder / manifest.smoothing.body)
    parity = Parity(difference, len(items), agreement)
    return folders.write(folder, replace(manifest, parity=parity, variants=variants))


@contextmanager
def replaced(out: Path) -> Iterator[Path]:
    """A new folder that takes the place of `out` when the block ends well; only a model folder is ever replaced."""
    if out.exists() and not (out / folders.NAME).is_file() and (not out.is_dir() or any(out.iterdir())):
        raise ExportError(f"{out} exists and is not a model folder; name another folder, or remove it")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as scratch:
        folder = Path(scratch) / "new"
        folder.mkdir()
        yield folder
        if out.exists():
            os.replace(out, Path(scratch) / "old")
        os.replace(folder, out)


def write_tokenizer(tokenizer: Any, path: Path) -> None:
    """tokenizer.json without the padding and truncation a past call may have left in it."""
    if not getattr(tokenizer, "is_fast", False):
        raise ExportError(
            f"{type(tokenizer).__name__} has no tokenizer.json and cannot be turned into one; "
            "save the model with its fast tokenizer"
        )
    backend = type(tokenizer.backend_tokenizer).from_str(tokenizer.backend_tokenizer.to_str())
    backend.no_padding()
    backend.no_truncation()
    backend.save(str(path), pretty=False)


def _probabilities(model: Any, tokenizer: Any, items: Sequence[Item], max_length: int) -> Probabilities:
    """What the original model answers, tokenised by its own tokenizer."""
    answers = []
    tokenizer.padding_side = tokenizer.truncation_side = "right"
    try:
        for start in range(0, len(items), _BATCH):
            logits = []
            for pairs in (False, True):
                batch = [item for item in items[start : start + _BATCH] if (item.pair is not None) == pairs]
                logits.append(_logits(model, tokenizer, batch, max_length))
            single, double = map(iter, logits)
            answers += [next(single if item.pair is None else double) for item in items[start : start + _BATCH]]
    except (IndexError, RuntimeError) as error:
        raise ExportError(f"the model cannot take {max_length} tokens ({error}); choose a smaller max_length") from None
    probabilities: Probabilities = torch.softmax(torch.stack(answers), dim=-1).numpy()
    return probabilities


def _logits(model: Any, tokenizer: Any, batch: Sequence[Item], max_length: int) -> list[torch.Tensor]:
    if not batch:
        return []
    pairs = None if batch[0].pair is None else [item.pair for item in batch]
    texts = [item.text for item in batch]
    encoded = tokenizer(
        texts, pairs, truncation="longest_first", max_length=max_length, padding=True, return_tensors="pt"
    )
    taken = signature(model.forward).parameters
    with torch.inference_mode():
        return list(model(**{name: value for name, value in encoded.items() if name in taken}).logits.float())


def _answers(folder: Path, manifest: Manifest, items: Sequence[Item]) -> Probabilities:
    """What the folder answers as served; the graphs for noisy passes are made later."""
    folders.write(folder, replace(manifest, smoothing=None))
    classifier = OnnxClassifier(folder, providers=["CPUExecutionProvider"])
    try:
        return classifier(items)
    except (InvalidArgument, RuntimeException) as error:
        raise ExportError(
            f"the graph cannot run on {manifest.max_length} tokens ({error}); choose a smaller max_length"
        ) from None
    finally:
        classifier.close()


def _agreement(rows: Sequence[Example], reference: Probabilities, stored: Probabilities) -> dict[str, Agreement]:
    """Share of equal labels per language; rows of the arrays beyond those of `rows` belong to no language."""
    same = defaultdict(list)
    for row, before, after in zip(rows, reference, stored, strict=False):
        same[row.lang].append(bool(before.argmax() == after.argmax()))
    return {lang: Agreement(sum(equal) / len(equal), len(equal)) for lang, equal in sorted(same.items())}


def _tell(agreement: dict[str, Agreement], console: Console) -> None:
    total = sum(entry.n for entry in agreement.values())
    mean = sum(entry.share * entry.n for entry in agreement.values()) / total
    console.print(f"int8 labels equal to the model's: {mean:.1%} of {total}")
    console.print(", ".join(f"{lang} {entry.share:.1%} of {entry.n}" for lang, entry in agreement.items()))
    if mean < INT8_WISH:
        console.print(f"[yellow]under {INT8_WISH:.0%}: int8 costs this model labels; precision fp32 keeps them[/]")


def _card(manifest: Manifest) -> str:
    return (
        f"# {manifest.encoder}\n\nA text classifier ({', '.join(manifest.labels)}), licence {manifest.licence}. "
        "What is known of it stands in manifest.json.\n"
    )
