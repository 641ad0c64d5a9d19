"""One stage of training on transformers.Trainer: seeded batches of like lengths, any method, resume, early stopping."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from safetensors import SafetensorError
from torch.utils.tensorboard import SummaryWriter
from transformers import (
    EarlyStoppingCallback,
    EvalPrediction,
    PreTrainedModel,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from transformers.integrations import TensorBoardCallback

from probes.types import Example
from training import processes
from training.epochs import Collator, Encoder, EpochData
from training.head import special_ids
from training.precision import bf16_works
from training.recipe import Recipe, Stage
from training.trainer import Diverged, Finite, MethodTrainer, TrainingStopped

_UNWRITTEN = ("write", "unexpected pos")
"""Words of torch's errors when a file does not fit on the disk."""


@dataclass(frozen=True)
class Work:
    """What a stage works with besides its own table: model, data, place and where to report."""

    recipe: Recipe
    stage: Stage
    number: int
    model: PreTrainedModel
    tokenizer: Any
    labels: tuple[str, ...]
    train: Sequence[Example]
    dev: Sequence[Example]
    folder: Path
    logs: Path
    console: Console
    callbacks: Sequence[TrainerCallback] = ()
    """Whatever else wants to know how training goes on."""


def train(work: Work) -> dict[str, Any]:
    """Train work.model in place, from the newest whole checkpoint if there is one; returns steps and dev accuracy."""
    stage, recipe = work.stage, work.recipe
    objective = stage.objective
    encode = Encoder(work.tokenizer, work.labels, recipe.max_length)
    work.model.get_input_embeddings().requires_grad_(not stage.freeze_embeddings)
    data = EpochData(work.train, objective, encode, batch=stage.batch, seed=(recipe.seed, work.number))
    dev = sorted(encode(work.dev), key=lambda row: len(row["input_ids"])) if work.dev else None
    # what is written and shown comes from the first process
    writer = SummaryWriter(str(work.logs)) if processes.here().is_main_process else None
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
               TimeRemainingColumn())  # fmt: skip
    bar = Progress(*columns, console=work.console)
    callbacks = [_NextEpoch(data), Finite(), _Report(bar, stage.name), TensorBoardCallback(writer), *work.callbacks]
    if stage.patience:
        callbacks.append(EarlyStoppingCallback(stage.patience))
    trainer = MethodTrainer(
        work.model,
        _arguments(work),
        objective=objective,
        special=special_ids(work.tokenizer),
        seed=(recipe.seed, work.number),
        head_learning_rate=stage.head_learning_rate or stage.learning_rate,
        train_dataset=data,
        eval_dataset=dev,
        data_collator=Collator(work.tokenizer),
        compute_metrics=_accuracy if dev else None,
        callbacks=callbacks,
    )
    trainer.remove_callback(PrinterCallback)
    checkpoint = newest_checkpoint(work.folder)
    if checkpoint:
        work.console.print(f"{stage.name}: going on from {checkpoint.name}")
    with warnings.catch_warnings():
        # checkpoints within one tick of the file system's clock are ordered by number: as good
        warnings.filterwarnings("ignore", message="mtime may not be reliable")
        _train(trainer, checkpoint, work.folder, (writer or nullcontext(), bar))
    return {"steps": trainer.state.global_step, "rows": len(data), "dev_accuracy": trainer.state.best_metric}


def _train(
    trainer: Trainer, checkpoint: Path | None, folder: Path, reports: Iterable[AbstractContextManager[Any]]
) -> None:
    """Train to the end, or say where it stopped and what is kept; the reports are closed either way."""
    before = _state(checkpoint) if checkpoint else TrainerState()
    try:
        with ExitStack() as stack:
            for report in reports:
                stack.enter_context(report)
            if checkpoint and _over(before):
                # Trainer would go on: it forgets that training was to stop here
                trainer.state = before
                best = Path(before.best_model_checkpoint or checkpoint).name  # the folder may be called from elsewhere
                trainer._load_from_checkpoint(str(folder / best))
            else:
                trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    except (Diverged, OSError, SafetensorError, RuntimeError, EOFError, UnpicklingError) as error:
        if checkpoint and trainer.state.global_step <= before.global_step and _unread(error):
            raise TrainingStopped(
                f"{checkpoint} or the best one beside it is damaged and could not be read: {error}; remove it and give "
                "the same command again, or start over with --fresh"
            ) from error
        kept = newest_checkpoint(folder)
        left = f"{kept} is kept" if kept else "no checkpoint was written yet"
        if isinstance(error, Diverged):
            advice = "lower the learning rate, epsilon or scale in the recipe, and name another --out"
            raise Diverged(f"{error}; {left}; {advice}") from error
        if not isinstance(error, OSError | SafetensorError) and not any(word in str(error) for word in _UNWRITTEN):
            raise
        raise TrainingStopped(
            f"{folder} could not be written: {error}; {left}; make room and give the same command again"
        ) from error


def _unread(error: Exception) -> bool:
    """Whether safetensors, pickle or torch could make nothing of a file."""
    return isinstance(error, SafetensorError | EOFError | UnpicklingError) or "PytorchStreamReader" in str(error)


def newest_checkpoint(folder: Path) -> Path | None:
    """The last checkpoint that was written to its end: trainer_state.json is the last file of one."""
    whole: list[tuple[int, Path]] = []
    for path in folder.glob("checkpoint-*"):
        try:
            whole.append((json.loads((path / "trainer_state.json").read_text())["global_step"], path))
        except (OSError, ValueError, KeyError):
            continue
    return max(whole)[1] if whole else None


def _over(state: TrainerState) -> bool:
    """Whether training was to stop at this checkpoint: early, or because all steps are made."""
    control = state.stateful_callbacks.get("TrainerControl", {})
    return bool(control.get("args", {}).get("should_training_stop"))


def _state(checkpoint: Path) -> TrainerState:
    return TrainerState.load_from_json(str(checkpoint / "trainer_state.json"))


def _arguments(work: Work) -> TrainingArguments:
    stage = work.stage
    share, count = processes.share(stage.batch), processes.here().num_processes
    when = "steps" if stage.evaluate_every else "epoch"
    every = {"eval_steps": stage.evaluate_every, "save_steps": stage.evaluate_every} if stage.evaluate_every else {}
    arguments = TrainingArguments(
        output_dir=str(work.folder),
        num_train_epochs=stage.epochs,
        max_steps=stage.steps or -1,
        # split_batches: these are shared by the processes, so that their number changes no update
        per_device_train_batch_size=share * count,
        per_device_eval_batch_size=max(share, 64 // count) * count,
        accelerator_config={"split_batches": True},
        ddp_find_unused_parameters=False,
        learning_rate=stage.learning_rate,
        weight_decay=stage.weight_decay,
        warmup_ratio=stage.warmup,
        lr_scheduler_type=stage.schedule,
        seed=work.recipe.seed,
        bf16=bf16_works(work.recipe.precision),
        use_cpu=not torch.cuda.is_available(),
        eval_strategy=when if work.dev else "no",
        save_strategy=when,
        save_total_limit=2,
        load_best_model_at_end=bool(work.dev),
        metric_for_best_model="accuracy" if work.dev else None,
        greater_is_better=True if work.dev else None,
        restore_callback_states_from_checkpoint=True,
        logging_steps=10,
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=torch.cuda.is_available(),
        **every,
    )
    # several devices are for `accelerate launch`: DataParallel's copies of a model have none of the methods' hooks
    arguments._n_gpu = min(1, arguments.n_gpu)
    return arguments


def _accuracy(prediction: EvalPrediction) -> Mapping[str, float]:
    return {"accuracy": float((prediction.predictions.argmax(axis=-1) == prediction.label_ids).mean())}


class _NextEpoch(TrainerCallback):
    """Moves the data to the epoch that begins."""

    def __init__(self, data: EpochData) -> None:
        self._data = data

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._data.set_epoch(int(state.epoch or 0))


class _Report(TrainerCallback):
    """A progress bar on the console, and a line for every evaluation."""

    def __init__(self, bar: Progress, name: str) -> None:
        self._bar, self._name = bar, name

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._task = self._bar.add_task(self._name, total=state.max_steps, completed=state.global_step)

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        self._bar.update(self._task, completed=state.global_step)

    def on_log(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        if "loss" in (logs := kwargs.get("logs") or {}):
            self._bar.update(self._task, description=f"{self._name} (loss {logs['loss']:.3f})")

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        accuracy = (kwargs.get("metrics") or {}).get("eval_accuracy", float("nan"))
        self._bar.console.print(f"{self._name}: epoch {state.epoch or 0:.2f}, dev accuracy {accuracy:.3f}")
