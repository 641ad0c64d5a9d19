"""The manifest of a model folder: what the model is, how it was measured, and the digest of every file beside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from probes.files import replacing
from runtime.outside import locations

NAME = "manifest.json"
TOKENIZER = "tokenizer.json"


class ModelFolderError(ValueError):
    """A model folder that cannot be used; the message names the file and what to do."""


_STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


@dataclass(frozen=True, slots=True)
class FileDigest:
    """What a file of the folder must be, byte for byte."""

    __pydantic_config__: ClassVar = _STRICT
    sha256: str
    bytes: int


Precision = Literal["fp32", "fp16", "bf16", "int8"]


@dataclass(frozen=True, slots=True)
class Onnx:
    """The graph: its file, opset, weight precision and the token id that pads a row."""

    __pydantic_config__: ClassVar = _STRICT
    file: str = "model.onnx"
    opset: int = 18
    precision: Precision = "int8"
    pad_id: int = 0


@dataclass(frozen=True, slots=True)
class Smoothing:
    """The graph in two halves for passes under noise, and the noise the model was trained for.

    sigma is the standard deviation on every coordinate of a content token's word embedding; special_ids get none.
    """

    __pydantic_config__: ClassVar = _STRICT
    sigma: float
    special_ids: tuple[int, ...] = ()
    embeddings: str = "embeddings.onnx"
    body: str = "body.onnx"


@dataclass(frozen=True, slots=True)
class Agreement:
    """Share of n examples on which the stored graph gives the label of the original model."""

    __pydantic_config__: ClassVar = _STRICT
    share: float
    n: int


@dataclass(frozen=True, slots=True)
class Parity:
    """How far the export is from the model it came from on n texts: fp32 probabilities, int8 labels per language.

    The difference is None where the model came as an ONNX graph, so that there was nothing else to compare with.
    """

    __pydantic_config__: ClassVar = _STRICT
    fp32_max_difference: float | None
    n: int
    int8_label_agreement: Mapping[str, Agreement] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Score:
    """Accuracy on n examples with its 95 % interval, all in 0..1."""

    __pydantic_config__: ClassVar = _STRICT
    accuracy: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a model folder says of itself; max_length counts tokens, special ones included."""

    __pydantic_config__: ClassVar = _STRICT
    format: Literal[1] = 1
    created_by: str = ""
    task: Literal["text-classification"] = "text-classification"
    pairs: bool = False
    labels: tuple[str, ...]
    languages: tuple[str, ...]
    max_length: int
    encoder: str
    licence: str
    onnx: Onnx = field(default_factory=Onnx)
    variants: tuple[Onnx, ...] = ()
    """The same model in other precisions, beside the graph that is served unless one of these is chosen."""
    smoothing: Smoothing | None = None
    recipe_sha256: str | None = None
    data_sha256: Mapping[str, str] = field(default_factory=dict)
    parity: Parity | None = None
    scores: Mapping[str, Score] = field(default_factory=dict)
    files: Mapping[str, FileDigest] = field(default_factory=dict)

    @property
    def graphs(self) -> tuple[str, ...]:
        """The files of all its graphs."""
        halves = (self.smoothing.embeddings, self.smoothing.body) if self.smoothing else ()
        return (self.onnx.file, *(graph.file for graph in self.variants), *halves)

    @property
    def sha256(self) -> str:
        """The identity of the model: digest of everything the manifest says, hence of every byte of the folder."""
        return hashlib.sha256(json.dumps(_content(self), allow_nan=False).encode()).hexdigest()


_ADAPTER = TypeAdapter(Manifest)


def read(folder: str | Path) -> Manifest:
    """Read and check manifest.json alone; the files it names are checked by `verify`."""
    path = Path(folder) / NAME
    try:
        raw = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise ModelFolderError(
            f"{folder} is not a model folder: it has no {NAME}. "
            "Make one with `babelproof import` or `babelproof-train run`, or check the path."
        ) from None
    manifest = _parse(raw, path)
    if _render(manifest) != raw:
        raise ModelFolderError(f"{path}: its content differs from the sha256 it carries. {_RESTORE}")
    return manifest


def write(folder: str | Path, manifest: Manifest) -> Manifest:
    """Hash the files of the folder, write manifest.json beside them atomically, return the manifest as written."""
    folder = Path(folder)
    written = replace(manifest, files=_digests(folder), created_by=manifest.created_by or created_by())
    _check(written, folder / NAME)
    with replacing(folder / NAME) as temporary:
        temporary.write_bytes(_render(written))
    return written


def verify(folder: str | Path) -> Manifest:
    """Read the manifest and compare every file of the folder with it; names each changed, missing or extra file."""
    folder = Path(folder)
    manifest = read(folder)
    found = _digests(folder)
    faults = [_difference(name, expected, found.get(name)) for name, expected in manifest.files.items()]
    faults += [f"{name}: not in the manifest" for name in found if name not in manifest.files]
    faults += [
        f"{name}: this ONNX graph reads {other}, which is not in the manifest"
        for name in manifest.graphs
        if name in found
        for other in locations(folder / name)
        if (PurePosixPath(name).parent / other).as_posix() not in manifest.files
    ]
    if told := "; ".join(fault for fault in faults if fault):
        raise ModelFolderError(f"model folder {folder}: {told}. {_RESTORE}")
    return manifest


def created_by() -> str:
    """Name and version of this package, as written into manifests."""
    try:
        return f"babelproof {version('babelproof')}"
    except PackageNotFoundError:
        return "babelproof (from a source tree)"


_RESTORE = "Restore the folder from where you got it, or export it again."


def _difference(name: str, expected: FileDigest, found: FileDigest | None) -> str | None:
    if found is None:
        return f"{name}: missing"
    if found.bytes != expected.bytes:
        return f"{name}: {found.bytes} bytes, the manifest says {expected.bytes}"
    if found.sha256 != expected.sha256:
        return f"{name}: sha256 differs ({found.sha256[:12]}..., the manifest says {expected.sha256[:12]}...)"
    return None


def _digests(folder: Path) -> dict[str, FileDigest]:
    """Digest of every file but the manifest; hidden files (.DS_Store and the like) are nobody's content.

    ModelFolderError for a link out of the folder: what it leads to may change, and is no business of the model's.
    """
    digests, home = {}, folder.resolve()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_symlink() and not path.resolve().is_relative_to(home):
            raise ModelFolderError(f"model folder {folder}: {name} is a link out of the folder; copy the file into it.")
        if name.as_posix() == NAME or any(part.startswith(".") for part in name.parts) or not path.is_file():
            continue
        with path.open("rb") as file:
            digests[name.as_posix()] = FileDigest(hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size)
    return digests


def _content(manifest: Manifest) -> dict[str, Any]:
    """What a manifest says; without variants it says nothing of them, as before there were any."""
    content = asdict(manifest)
    if not manifest.variants:
        del content["variants"]
    return content


def _render(manifest: Manifest) -> bytes:
    """The one way a manifest is written; `read` accepts no other bytes."""
    content = {"sha256": manifest.sha256, **_content(manifest)}
    return (json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _parse(raw: bytes, path: Path) -> Manifest:
    try:
        content: Any = json.loads(raw)
        if isinstance(content, dict):
            content.pop("sha256", None)
            if (form := content.get("format", 1)) != 1:
                raise ModelFolderError(f"{path}: this version reads format 1, not {form!r}.")
        manifest = _ADAPTER.validate_json(json.dumps(content))
    except ValidationError as error:
        told = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc']) or 'the whole'}: {fault['msg']}"
            for fault in error.errors()[:5]
        )
        raise ModelFolderError(f"{path}: {told}. {_RESTORE}") from None
    except ModelFolderError:
        raise
    except (ValueError, RecursionError) as error:
        raise ModelFolderError(f"{path}: not JSON ({error}). {_RESTORE}") from None
    _check(manifest, path)
    return manifest


def _check(manifest: Manifest, path: Path) -> None:
    """What types cannot say."""
    if len(manifest.labels) < 2 or len(set(manifest.labels)) < len(manifest.labels):
        raise ModelFolderError(f"{path}: labels must be two or more different names, not {list(manifest.labels)}.")
    if manifest.max_length < 4:
        raise ModelFolderError(f"{path}: max_length {manifest.max_length} leaves no room for text.")
    if len(set(manifest.graphs)) < len(manifest.graphs):
        raise ModelFolderError(f"{path}: its graphs must be different files, not {', '.join(manifest.graphs)}.")
    for name in (*manifest.graphs, TOKENIZER):
        if name not in manifest.files:
            raise ModelFolderError(f"{path}: files does not name {name}.")
