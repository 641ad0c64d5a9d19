"""Bring your own model: a Hugging Face sequence classifier, or an ONNX file with its tokenizer, to a model folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
import torch
from rich.console import Console
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer, PreTrainedTokenizerFast

from probes.types import Example, Item
from runtime import manifest as folders
from runtime.manifest import Manifest, Onnx
from training import head as _registered  # noqa: F401  our own head, so that transformers can load it
from training.export import GRAPH, ExportError, finish, replaced, write_model, write_tokenizer
from training.graph import optimise

_LONGEST = 512
_ROWS = 64
_UNNAMED = "und"
"""BCP 47 for an undetermined language: what rows made of the model's own vocabulary are in."""
_OFFSET = {"roberta", "xlm-roberta", "camembert", "xlm-roberta-xl", "roberta-prelayernorm", "mpnet", "longformer"}
"""Architectures whose positions start behind the padding id, so that they have fewer than they say."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the caller said of the model."""

    labels: Sequence[str] | None
    languages: Sequence[str]
    max_length: int | None
    precision: Literal["int8", "fp32"]
    pairs: bool
    licence: str
    rows: Sequence[Example]
    keep: Sequence[Literal["fp32", "fp16"]] = ()


def import_model(
    source: str | Path,
    out: str | Path,
    *,
    labels: Sequence[str] | None = None,
    languages: Sequence[str] = (),
    max_length: int | None = None,
    precision: Literal["int8", "fp32"] = "int8",
    revision: str | None = None,
    pairs: bool = False,
    licence: str = "unknown",
    rows: Sequence[Example] = (),
    keep: Sequence[Literal["fp32", "fp16"]] = (),
    console: Console | None = None,
) -> Manifest:
    """Write a model folder from a hub name, a model's folder, an ONNX file or a folder with one; returns its manifest.

    An ONNX file needs tokenizer.json beside it, and config.json or `labels`. The import is compared with the model on
    `rows`, or where there are none on texts made of its vocabulary. Code from the hub is never run; weights are read
    from safetensors, or from .bin files by torch's reader that holds no code. Raises ExportError.
    """
    wanted = _Wanted(labels, languages, max_length, precision, pairs, licence, rows, keep)
    path = Path(source)
    graph = path if path.suffix == ".onnx" else next(iter(sorted(path.glob("*.onnx"))), None)
    if path.suffix == ".onnx" and not path.is_file():
        raise ExportError(f"{path}: no such file")
    weights = path.is_dir() and any((*path.glob("*.safetensors"), *path.glob("*.bin")))
    if graph is not None and not weights:
        return _import_onnx(graph, Path(out), wanted, console)
    if path.is_dir() and not (path / "config.json").is_file():
        raise ExportError(f"{path} has neither config.json with weights nor an ONNX file with {folders.TOKENIZER}")
    return _import_transformers(str(source), Path(out), wanted, revision, console)


def _import_transformers(
    source: str, out: Path, wanted: _Wanted, revision: str | None, console: Console | None
) -> Manifest:
    config = _loaded(AutoConfig, source, revision)
    _check_task(source, config)
    names = _labels(source, dict(config.id2label), wanted.labels)
    options = {"attn_implementation": "eager", "dtype": torch.float32, "output_loading_info": True}
    model, read = _loaded(AutoModelForSequenceClassification, source, revision, **options)
    if missing := sorted(read["missing_keys"]):
        raise ExportError(
            f"{source} has no weights for {', '.join(missing[:4])}: it is no finished sequence classifier; "
            "fine-tune it first, for example with `babelproof-train run`"
        )
    tokenizer = _loaded(AutoTokenizer, source, revision)
    manifest = _manifest(source, names, _length(config, tokenizer, wanted.max_length), wanted)
    rows = wanted.rows or vocabulary_rows(getattr(tokenizer, "backend_tokenizer", None), wanted.pairs)
    return write_model(model.eval(), tokenizer, out, manifest, rows, console=console)


def _import_onnx(graph: Path, out: Path, wanted: _Wanted, console: Console | None) -> Manifest:
    tokenizer_file = graph.parent / folders.TOKENIZER
    if not tokenizer_file.is_file():
        raise ExportError(f"{graph.parent} has no {folders.TOKENIZER} for {graph.name}; copy the model's there")
    config = _json(graph.parent / "config.json")
    stated = {int(key): str(value) for key, value in (config.get("id2label") or {}).items()}
    names = _labels(str(graph), stated, wanted.labels)
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(tokenizer_file))
    model = onnx.load(graph)
    if not _floats(model):
        if wanted.keep:
            raise ExportError(f"{graph} was quantised by others: there is no fp32 to keep beside it")
        wanted = replace(wanted, precision="fp32")  # quantised by others: stored as it came
    positions = int(config.get("max_position_embeddings") or _LONGEST)
    length = wanted.max_length or min(_LONGEST, positions - 2 * (config.get("model_type") in _OFFSET))
    manifest = _manifest(graph.parent.name or graph.stem, names, length, wanted)
    rows = wanted.rows or vocabulary_rows(tokenizer.backend_tokenizer, wanted.pairs)
    with replaced(out) as folder:
        onnx.save(model, folder / GRAPH)
        if wanted.precision == "int8":
            optimise(folder / GRAPH)
        write_tokenizer(tokenizer, folder / folders.TOKENIZER)
        return finish(folder, manifest, rows, int(config.get("pad_token_id") or 0), console=console)


def vocabulary_rows(tokenizer: Tokenizer | None, pairs: bool, seed: int = 0) -> list[Example]:
    """Texts of 1 to 40 random pieces of a vocabulary: they say whether two graphs agree, not how good they are."""
    if tokenizer is None:
        return [Example("0", Item("a"), _UNNAMED)]
    rng = np.random.default_rng(seed)
    size = tokenizer.get_vocab_size()

    def text() -> str:
        return str(tokenizer.decode(rng.integers(0, size, rng.integers(1, 41)).tolist(), skip_special_tokens=True))

    return [Example(str(number), Item(text(), text() if pairs else None), _UNNAMED) for number in range(_ROWS)]


def _loaded(loader: Any, source: str, revision: str | None, **options: Any) -> Any:
    """from_pretrained, never with code from the hub; its many ways to fail told in one sentence."""
    try:
        return loader.from_pretrained(source, revision=revision, trust_remote_code=False, **options)
    except (OSError, ValueError, ImportError) as error:
        said = " ".join(str(error).split())
        if Path(source).exists():
            raise ExportError(f"{source} cannot be loaded as a Hugging Face model: {said}") from error
        raise ExportError(
            f"{source} is neither a folder here nor a model that could be fetched from the hub; check the name, "
            f"the network, and HF_TOKEN if it is private. The hub's client says: {said}"
        ) from error


def _check_task(source: str, config: Any) -> None:
    if config.problem_type in ("multi_label_classification", "regression") or config.num_labels < 2:
        raise ExportError(
            f"{source} gives {config.num_labels} output(s) of type {config.problem_type or 'regression'}; "
            "only models that choose one of two or more labels can be served"
        )


def _labels(source: str, stated: Mapping[int, str], given: Sequence[str] | None) -> tuple[str, ...]:
    names = tuple(str(stated[key]) for key in sorted(stated))
    if given is not None:
        if names and len(given) != len(names):
            raise ExportError(f"{len(given)} labels were given, {source} has {len(names)} outputs")
        return tuple(given)
    if not names or names == tuple(f"LABEL_{number}" for number in range(len(names))):
        raise ExportError(
            f"{source} does not name its {len(names) or ''} labels (id2label in config.json); name them in order, "
            "for example --labels negative,neutral,positive".replace("  ", " ")
        )
    return names


def _length(config: Any, tokenizer: Any, given: int | None) -> int:
    """Tokens the model takes: as given, else the least of what model and tokenizer say, and 512."""
    if given is not None:
        return given
    positions = int(getattr(config, "max_position_embeddings", None) or _LONGEST)
    if config.model_type in _OFFSET:
        positions -= (config.pad_token_id or 0) + 1
    if positions <= 0:
        positions = _LONGEST  # relative positions only
    return int(min(_LONGEST, positions, tokenizer.model_max_length))


def _manifest(encoder: str, names: tuple[str, ...], length: int, wanted: _Wanted) -> Manifest:
    return Manifest(
        labels=names,
        languages=tuple(wanted.languages),
        max_length=length,
        encoder=Path(encoder).name if Path(encoder).exists() else encoder,
        licence=wanted.licence,
        pairs=wanted.pairs,
        onnx=Onnx(precision=wanted.precision),
        variants=tuple(Onnx(precision=one) for one in wanted.keep),
    )


def _floats(model: onnx.ModelProto) -> bool:
    """Whether any matrix of the graph is still in floating point."""
    return any(tensor.data_type == onnx.TensorProto.FLOAT and len(tensor.dims) == 2 and min(tensor.dims) > 1
               for tensor in model.graph.initializer)  # fmt: skip


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except ValueError as error:
        raise ExportError(f"{path}: not JSON ({error})") from None
    return content if isinstance(content, dict) else {}
