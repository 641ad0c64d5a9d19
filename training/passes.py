"""Forward passes over one batch: plain, or with a perturbation added to what the model computes on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Place = Literal["embeddings", "states"]
"""Where a perturbation is added: the word-embedding output, or the last hidden states (the last block's output)."""

VIEW = "view_"
"""Prefix of the model inputs that belong to the second version of every text."""


class Passes:
    """One batch, the model, and the passes methods ask for; the clean one is computed once and shared.

    All passes of one training step draw the same dropout masks, unless a fresh mask is asked for; nothing random is
    left to the global generators. labels has shape (n,), content (n, length, 1): 1 where a token may be perturbed, 0 at
    special and padding tokens.
    """

    def __init__(self, model: nn.Module, batch: Mapping[str, Tensor], special: Tensor, rng: torch.Generator) -> None:
        self.model, self.rng = model, rng
        self.labels = batch["labels"]
        self.inputs = {name: value for name, value in batch.items() if name != "labels" and not name.startswith(VIEW)}
        self.view = {name[len(VIEW) :]: value for name, value in batch.items() if name.startswith(VIEW)}
        ids, mask = self.inputs["input_ids"], self.inputs["attention_mask"]
        self.content = (mask.bool() & ~torch.isin(ids, special.to(ids.device)))[..., None].float()
        self.clean_is_spent = False
        self._dropout = self._seed()
        self._last: Any = None

    @cached_property
    def clean(self) -> Tensor:
        """Logits of the batch as it is, shape (n, labels)."""
        blocks: Any = self.model.get_submodule(_blocks(self.model))
        with hooked(blocks[-1], self._remember):
            return self._run(self.inputs)

    @property
    def second(self) -> Tensor:
        """Logits of the second version of every text, shape (n, labels)."""
        return self._run(self.view)

    @property
    def again(self) -> Tensor:
        """Logits of the batch as it is under another dropout mask, shape (n, labels)."""
        return self._run(self.inputs, self._seed())

    def vectors(self, place: Place) -> Tensor:
        """What is computed at the place for the clean batch, detached: shape (n, length, width)."""
        if place == "states":
            return self._states.detach().float()
        with torch.no_grad():
            vectors: Tensor = _bare(self.model).get_input_embeddings()(self.inputs["input_ids"])
            return vectors.float()

    def movable(self, place: Place) -> Tensor:
        """Where a perturbation may be, shape (n, length, 1): content tokens, at the embeddings always.

        An encoder's own head reads the last state of special tokens, perhaps of one alone; under it all states but
        those of padding may move.
        """
        if place == "states" and getattr(_bare(self.model).config, "pooling", "cls") == "cls":
            return self.inputs["attention_mask"][..., None].float()
        return self.content

    def shifted(self, place: Place, delta: Tensor, *, frozen: bool = False) -> Tensor:
        """Logits with delta, of shape (n, length, width), added at the place, where it is movable.

        At the states only what comes after them is computed. frozen: no gradient is wanted behind the place.
        """
        added = delta * self.movable(place)
        if place == "embeddings":
            words = _bare(self.model).get_input_embeddings()
            with hooked(words, lambda output: output + added.to(output.dtype)):
                return self._run(self.inputs)
        states = self._states.detach() if frozen else self._states
        with _short_cut(self.model, _with_states(self._last, states + added.to(states.dtype))):
            return self._run(self.inputs)

    def cross_entropy(self, logits: Tensor) -> Tensor:
        """Mean cross-entropy with the labels, a scalar."""
        return F.cross_entropy(logits.float(), self.labels)

    def inner(self) -> AbstractContextManager[None]:
        """Passes and backward calls that precede the last one of a step: workers do not exchange gradients yet."""
        quiet: Callable[[], AbstractContextManager[None]] = getattr(self.model, "no_sync", nullcontext)
        return quiet()

    @property
    def _states(self) -> Tensor:
        _ = self.clean
        states: Tensor = self._last[0] if isinstance(self._last, tuple) else self._last
        return states

    def _remember(self, output: Any) -> Any:
        self._last = output
        return output

    def _run(self, inputs: Mapping[str, Tensor], dropout: int | None = None) -> Tensor:
        where = self.labels.device
        with torch.random.fork_rng(devices=[where] if where.type == "cuda" else []):
            torch.manual_seed(self._dropout if dropout is None else dropout)
            logits: Tensor = self.model(**inputs).logits
        return logits

    def _seed(self) -> int:
        return int(torch.randint(2**62, (1,), generator=self.rng, device=self.rng.device))


def _blocks(model: nn.Module) -> str:
    """Name of the list of the encoder's blocks."""
    depth = _bare(model).base_model.config.num_hidden_layers
    for name, module in model.named_modules():
        if isinstance(module, nn.ModuleList) and len(module) == depth:
            return name
    raise ValueError(f"{type(_bare(model)).__name__} has no list of {depth} blocks to perturb the last states of")


def _bare(model: nn.Module) -> Any:
    """The model inside a wrapper for several processes."""
    return getattr(model, "module", model)


@contextmanager
def hooked(module: nn.Module, change: Callable[[Any], Any]) -> Iterator[None]:
    """Pass the module's output through a function."""
    handle = module.register_forward_hook(lambda _module, _inputs, output: change(output))
    try:
        yield
    finally:
        handle.remove()


class _Given(nn.Module):
    """A block that answers what it was told to."""

    def __init__(self, output: Any) -> None:
        super().__init__()
        self.output = output

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.output


@contextmanager
def _short_cut(model: nn.Module, output: Any) -> Iterator[None]:
    """Let one module that answers `output` stand for all blocks."""
    parent_name, _, child = _blocks(model).rpartition(".")
    parent = model.get_submodule(parent_name)
    real = parent.get_submodule(child)
    setattr(parent, child, nn.ModuleList([_Given(output)]))
    try:
        yield
    finally:
        setattr(parent, child, real)


def _with_states(output: Any, states: Tensor) -> Any:
    return (states, *output[1:]) if isinstance(output, tuple) else states
