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
        self.clean_weight = 1.0
        self.clean_is_spent = False
        self._dropout = self._seed()
        self._last: tuple[Any, Callable[[], None]] | None = None

    @cached_property
    def clean(self) -> Tensor:
        """Logits of the batch as it is, shape (n, labels)."""
        name = _blocks(self.model)
        blocks: Any = self.model.get_submodule(name) if name else None
        with hooked(blocks[-1], self._remember) if blocks else nullcontext():
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
        (output, restore), states = self._reached, self._states.detach() if frozen else self._states
        with _short_cut(self.model, _with_states(output, states + added.to(states.dtype)), restore):
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
        output, _ = self._reached
        states: Tensor = output[0] if isinstance(output, tuple) else output
        return states

    @property
    def _reached(self) -> tuple[Any, Callable[[], None]]:
        """The last block's output in the clean pass, and what brings back the random state that it left."""
        _ = self.clean
        if self._last is None:
            kind = type(_bare(self.model).base_model).__name__
            raise ValueError(f'{kind} is no stack of blocks whose last states could move; write place = "embeddings"')
        return self._last

    def _remember(self, output: Any) -> Any:
        self._last = output, _random_state(self.labels.device)
        return output

    def _run(self, inputs: Mapping[str, Tensor], dropout: int | None = None) -> Tensor:
        where = self.labels.device
        with torch.random.fork_rng(devices=[where] if where.type == "cuda" else []):
            torch.manual_seed(self._dropout if dropout is None else dropout)
            logits: Tensor = self.model(**inputs).logits
        return logits

    def _seed(self) -> int:
        return int(torch.randint(2**62, (1,), generator=self.rng, device=self.rng.device))


def _blocks(model: nn.Module) -> str | None:
    """Name of the list of the encoder's blocks; None where it has none, shared blocks say, or several (XLM's parts)."""
    depth = getattr(_bare(model).base_model.config, "num_hidden_layers", 0)
    for parent, module in model.named_modules():
        lists = [name for name, child in module.named_children()
                 if isinstance(child, nn.ModuleList) and len(child) == depth]  # fmt: skip
        if lists:
            return f"{parent}.{lists[0]}".lstrip(".") if len(lists) == 1 else None
    return None


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


def _random_state(device: torch.device) -> Callable[[], None]:
    """What brings the global generators of CPU and device back to where they are now."""
    state, cuda = torch.get_rng_state(), torch.cuda.get_rng_state(device) if device.type == "cuda" else None

    def restore() -> None:
        torch.set_rng_state(state)
        if cuda is not None:
            torch.cuda.set_rng_state(cuda, device)

    return restore


class _Given(nn.Module):
    """A block that answers what it was told to, and leaves the random state as the real blocks did."""

    def __init__(self, output: Any, restore: Callable[[], None]) -> None:
        super().__init__()
        self.output, self.restore = output, restore

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        self.restore()
        return self.output


@contextmanager
def _short_cut(model: nn.Module, output: Any, restore: Callable[[], None]) -> Iterator[None]:
    """Let one module that answers `output` stand for all blocks."""
    parent_name, _, child = (_blocks(model) or "").rpartition(".")
    parent = model.get_submodule(parent_name)
    real = parent.get_submodule(child)
    setattr(parent, child, nn.ModuleList([_Given(output, restore)]))
    try:
        yield
    finally:
        setattr(parent, child, real)


def _with_states(output: Any, states: Tensor) -> Any:
    return (states, *output[1:]) if isinstance(output, tuple) else states
