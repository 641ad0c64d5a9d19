"""What clients send and get back: pydantic models, from which the OpenAPI document is made."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PositiveInt, ValidationError, WithJsonSchema
from pydantic_core import PydanticCustomError

from probes.types import Item
from service.http.errors import Refusal

_INPUT = (
    'a text, or a list of which each element is a text, ["text"], ["text", "its pair"] '
    'or {"text": ..., "text_pair": ...}'
)
_ONE = {"type": "string"}
_OBJECT = {
    "type": "object",
    "properties": {"text": {"type": "string"}, "text_pair": {"type": "string"}},
    "required": ["text"],
    "additionalProperties": False,
}
_LISTED = {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 2}
_INPUTS_SCHEMA = {
    "description": f"The inputs: {_INPUT}.",
    "oneOf": [_ONE, _OBJECT, {"type": "array", "minItems": 1, "items": {"oneOf": [_ONE, _LISTED, _OBJECT]}}],
    "examples": ["The match ended in a draw.", ["one text", "another text"], [["a premise", "its hypothesis"]]],
}


class Strict(BaseModel):
    """A model that coerces nothing and names the keys it does not know."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, arbitrary_types_allowed=True)


class Inputs(tuple[Item, ...]):
    """The items of a request, and whether the client sent one or a list."""

    single: bool

    @classmethod
    def parse(cls, value: Any) -> Inputs:
        """Items of what stands under `inputs`; raises in the words of the interface."""
        single = isinstance(value, str | dict)
        if not single and not isinstance(value, list):
            raise PydanticCustomError("inputs", f"must be {_INPUT}")
        elements = [value] if single else value
        if not elements:
            raise PydanticCustomError("empty", "is an empty list; send at least one text")
        inputs = cls(_item(element, "" if single else f"[{index}]") for index, element in enumerate(elements))
        inputs.single = single
        return inputs


def _item(value: Any, where: str) -> Item:
    match value:
        case str():
            return Item(value)
        case [str(text)] if isinstance(value, list):
            return Item(text)
        case [str(text), str(pair)] if isinstance(value, list):
            return Item(text, pair)
        case {"text": str(text), **rest} if not rest:
            return Item(text)
        case {"text": str(text), "text_pair": str(pair), **rest} if not rest:
            return Item(text, pair)
    raise PydanticCustomError("inputs", f"{where} must be {_INPUT}".lstrip())


Transform = Literal["softmax", "sigmoid", "none"]


class Parameters(Strict):
    """`parameters` of the Hugging Face text-classification API."""

    top_k: PositiveInt | None = None
    function_to_apply: Transform | None = None


class Options(Strict):
    """`options` of the Hugging Face API; accepted, and without effect here."""

    use_cache: bool | None = None
    wait_for_model: bool | None = None


class PredictRequest(Strict):
    """A request to /predict."""

    inputs: Annotated[Inputs, BeforeValidator(Inputs.parse), WithJsonSchema(_INPUTS_SCHEMA)]
    parameters: Parameters | None = None
    options: Options | None = None
    top_k: PositiveInt | None = Field(None, description="Only the k best labels; all of them by default.")
    raw_scores: bool = Field(False, description="Logits in place of probabilities.")
    truncate: bool = Field(True, description="Cut a text that is too long for the model; otherwise refuse it (413).")
    truncation_direction: Literal["right", "Right"] = Field("right", description="Texts are cut at their end.")


class LabelScore(BaseModel):
    """One label and its score."""

    label: str
    score: float


class DetectRequest(Strict):
    """A request to /detect."""

    texts: list[str] = Field(min_length=1)


class Detected(BaseModel):
    """A detected language and how sure the detector is, 0..1."""

    lang: str
    name: str
    confidence: float


LANGUAGE_CODE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}")
LanguageCode = Annotated[str, Field(pattern=f"^{LANGUAGE_CODE.pattern}$")]


class Battered(Strict):
    """Texts and what they are probed with; docs/probes.md says what a battery and a step are."""

    texts: list[str] = Field(min_length=1)
    pairs: list[str] | None = Field(None, description="The second text of each text, for models of text pairs.")
    labels: list[str | None] | None = Field(None, description="Gold labels; without one the clean answer stands.")
    languages: list[LanguageCode | None] | None = Field(None, description="Codes; detected where absent or null.")
    battery: str | None = Field(None, description="The name of a battery; GET /about lists them.")
    steps: list[dict[str, Any]] | None = Field(None, description="Steps in place of a battery.")
    seed: int = Field(0, ge=0, lt=2**32, description="Seed of inline steps; a named battery has its own.")


class ProbeRequest(Battered):
    """A request to /probe."""

    deadline_ms: PositiveInt | None = Field(None, description="When to stop; what was done by then is answered.")
    examples: int = Field(3, ge=0, le=20, description="Flips shown for each language and step.")


class JobRequest(Battered):
    """A request to /batteries."""

    model: str | None = Field(None, max_length=128, description="A served model by name; by default the first.")


class ShareOf(BaseModel):
    """A share of n with its 95 % interval, all in 0..1."""

    value: float
    low: float
    high: float
    n: int


class ChangedSpan(BaseModel):
    """Code points start:end of the text as it was became `new`."""

    start: int
    end: int
    new: str


class Flip(BaseModel):
    """One text whose label a probe changed."""

    index: int
    text: str
    changed: str | None
    edits: list[ChangedSpan]
    pair: str | None
    changed_pair: str | None
    pair_edits: list[ChangedSpan]
    label: str | None
    changed_label: str | None
    queries: int


class ProbeRow(BaseModel):
    """One language under one step; `measured` is false where the probe could touch nothing, and the rate is null."""

    lang: str
    name: str
    step: str
    n: int
    flips: int
    rate: float | None
    low: float | None
    high: float | None
    covered: int
    total: int
    coverage: float | None
    clean: ShareOf | None
    robust: ShareOf | None
    out_of_budget: int
    queries: float | None
    measured: bool
    examples: list[Flip]


class SpokenLanguage(BaseModel):
    """The language a text was probed in, and where that was known from."""

    lang: str
    source: Literal["given", "detected"]
    confidence: float | None


class ProbeAnswer(BaseModel):
    """The answer of /probe; `truncated` says that the deadline came before the end of the battery."""

    model: str
    battery: dict[str, Any]
    language_source: Literal["given", "detected", "mixed"]
    languages: list[SpokenLanguage]
    truncated: bool
    elapsed_ms: int
    rows: list[ProbeRow]


class ErrorBody(BaseModel):
    """Every refusal: a sentence, a code for programs, the kind text-embeddings-inference gives it, the request."""

    error: str
    code: str
    error_type: str
    request_id: str


M = TypeVar("M", bound=BaseModel)


def parse(model: type[M], document: dict[str, Any]) -> M:
    """The document as a request; Refusal 422 names what is wrong and where."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
    kind, message = fault["type"], fault["msg"]
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in fault["loc"]).lstrip(".")
    where = where if len(where) <= 100 else where[:100] + "..."
    if kind == "extra_forbidden":
        parts: dict[str, type[BaseModel]] = {"parameters": Parameters, "options": Options}
        holder = str(fault["loc"][0]) if len(fault["loc"]) > 1 else ""
        known = ", ".join(parts.get(holder, model).model_fields)
        raise Refusal(422, "unknown_key", f"{where} is not known here; the keys are {known}.")
    code = {"missing": "missing_key", "empty": "empty_inputs", "too_short": "empty_inputs"}.get(kind, "wrong_type")
    if kind in ("inputs", "empty"):  # our own words, which go on after the name
        raise Refusal(422, code, f"{where}{'' if message.startswith('[') else ' '}{message}.")
    raise Refusal(422, code, f"{where}: {message[0].lower()}{message[1:]}.")
