"""The messages of the Open Inference Protocol v2; keys that are not known here are passed over, as it asks."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, WithJsonSchema

Output = Literal["label", "scores", "logits"]
_NESTED = {
    "description": "The texts, one after the other, or each in a list of its own.",
    "type": "array",
    "items": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "maxItems": 1}]},
}


class _Sent(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)


class TensorParameters(_Sent):
    """Of the binary extension: the bytes of this tensor, which follow the JSON."""

    binary_data_size: int | None = Field(None, ge=0)


class InferInput(_Sent):
    """A tensor of texts, of shape [n] or [n, 1]."""

    name: Literal["text", "text_pair"]
    shape: list[Annotated[int, Field(ge=0)]] = Field(min_length=1, max_length=2)
    datatype: Literal["BYTES"]
    data: Annotated[list[Any] | None, WithJsonSchema(_NESTED)] = None
    parameters: TensorParameters | None = None


class OutputParameters(_Sent):
    """`binary_data`: this output as bytes behind the JSON. The other extensions are refused, not passed over."""

    binary_data: bool | None = None
    classification: None = None
    shared_memory_region: None = None


class InferOutput(_Sent):
    """An output that is wanted."""

    name: Output
    parameters: OutputParameters | None = None


class InferParameters(_Sent):
    """What a request may ask beside its tensors."""

    top_k: PositiveInt | None = Field(None, description="Only the k best labels, best first.")
    truncate: bool = Field(True, description="Cut a text that is too long for the model; otherwise refuse it (413).")
    binary_data_output: bool = Field(False, description="All outputs as bytes behind the JSON.")


class InferRequest(_Sent):
    """A request to infer."""

    inputs: list[InferInput] = Field(min_length=1, max_length=2)
    id: str | None = Field(None, max_length=256, description="Given back with the answer.")
    outputs: list[InferOutput] | None = Field(None, max_length=3, description="By default label and scores.")
    parameters: InferParameters | None = None


class OutputTensor(BaseModel):
    """An output in row-major order; without `data` where its bytes follow the JSON."""

    name: Output
    shape: list[int]
    datatype: Literal["BYTES", "FP32"]
    data: list[str] | list[float] | None = None
    parameters: dict[str, int] | None = None


class InferAnswer(BaseModel):
    """The answer of infer; `model_version` is the beginning of the model's identity."""

    model_name: str
    model_version: str
    id: str | None = None
    outputs: list[OutputTensor]


class TensorMetadata(BaseModel):
    """A tensor that the model takes or gives; -1 is any number."""

    name: str
    datatype: str
    shape: list[int]


class ModelMetadata(BaseModel):
    """What a model takes and gives; `parameters` has its labels, in the order of `scores` and `logits`."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]
    parameters: dict[str, Any]


class ServerMetadata(BaseModel):
    """The server and the extensions of the protocol that it has."""

    name: str
    version: str
    extensions: list[str]


class Live(BaseModel):
    """Whether the server is there."""

    live: bool


class Ready(BaseModel):
    """Whether all models can be asked."""

    ready: bool


class ModelReady(BaseModel):
    """Whether a model can be asked."""

    name: str
    ready: bool


class IndexRequest(_Sent):
    """A request for the index; `ready` leaves out models that are not."""

    ready: bool = False


class Indexed(BaseModel):
    """A model in the index."""

    name: str
    version: str
    state: Literal["READY"]
    reason: str
