"""transformers.Trainer with the loss of methods, the order of the data, and a stop where the loss is no number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset, Sampler, SequentialSampler
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from training.epochs import Features
from training.objective import Objective
from training.passes import Passes


class TrainingStopped(ValueError):
    """Training that cannot go on, what is left of it, and what to do."""


class Diverged(TrainingStopped):
    """A loss or a gradient that is not a number."""


class MethodTrainer(Trainer):
    """A Trainer whose loss is the methods', whose order is the data's, and whose head may learn at its own rate."""

    def __init__(
        self, *args: Any, objective: Objective, special: Sequence[int], head_learning_rate: float, seed: Sequence[int],
        **kwargs: Any
    ) -> None:  # fmt: skip
        super().__init__(*args, **kwargs)
        self._objective, self._seed = objective, seed
        self._special = torch.tensor(special)
        self._head_learning_rate = head_learning_rate
        # else Trainer takes any forward(**kwargs) for a model that divides by num_items_in_batch itself
        self.model_accepts_loss_kwargs = False

    def compute_loss(
        self, model: nn.Module, inputs: dict[str, Tensor], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The methods' loss in training, stopping where it is no number; outputs and plain loss in evaluation."""
        if return_outputs:
            return super().compute_loss(model, inputs, return_outputs=True)
        step = self.state.global_step
        state = np.random.SeedSequence([*self._seed, 2, step, self.args.process_index]).generate_state(1, np.uint64)
        rng = torch.Generator(inputs["labels"].device).manual_seed(int(state[0]) >> 1)
        loss, parts = self._objective.loss(Passes(model, inputs, self._special, rng))
        if not torch.isfinite(loss):
            wrong = ", ".join(name for name, part in parts.items() if not torch.isfinite(part))
            raise Diverged(f"step {step + 1}: the loss of {wrong or 'all methods together'} is not a number")
        return loss

    def create_optimizer(self) -> torch.optim.Optimizer:
        """AdamW in four groups: encoder and head, with and without weight decay."""
        self.optimizer: torch.optim.Optimizer | None
        if self.optimizer is None:
            decaying = set(self.get_decay_parameter_names(self.model))
            prefix = f"{self.model.base_model_prefix}."
            groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
            for name, parameter in self.model.named_parameters():
                if parameter.requires_grad:
                    groups.setdefault((name.startswith(prefix), name in decaying), []).append(parameter)
            self.optimizer = torch.optim.AdamW(
                [
                    {
                        "params": parameters,
                        "lr": self.args.learning_rate if in_encoder else self._head_learning_rate,
                        "weight_decay": self.args.weight_decay if decays else 0.0,
                    }
                    for (in_encoder, decays), parameters in groups.items()
                ],
                lr=self.args.learning_rate,
            )
        return self.optimizer

    def _get_train_sampler(self, train_dataset: Dataset[Features] | None = None) -> Sampler[int]:
        return SequentialSampler(train_dataset or self.train_dataset)


class Finite(TrainerCallback):
    """Stops before a step whose gradient is no number, so that no checkpoint holds one."""

    def on_pre_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        gradients = (parameter.grad for parameter in kwargs["model"].parameters() if parameter.grad is not None)
        if any(not torch.isfinite(gradient).all() for gradient in gradients):
            raise Diverged(f"step {state.global_step + 1}: the gradient is not a number")
