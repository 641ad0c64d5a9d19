"""`babelproof import`: the one place where the front door reaches the workshop, and only when it is called."""

from __future__ import annotations

from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from probes.data import read_examples
from runtime.speaking import refusals


class Kept(StrEnum):
    """What may be stored beside the graph that is served."""

    fp32 = "fp32"
    fp16 = "fp16"


def import_(
    source: Annotated[str, typer.Argument(help="A Hugging Face name or folder, or an ONNX file with its tokenizer.")],
    out: Annotated[Path, typer.Option(help="The model folder to make.")],
    label: Annotated[list[str] | None, typer.Option(help="Label names in order, where the model has none.")] = None,
    lang: Annotated[list[str] | None, typer.Option(help="A language the model is for; may be given again.")] = None,
    data: Annotated[Path | None, typer.Option(help="Examples on which the import must answer like the model.")] = None,
    max_length: Annotated[int | None, typer.Option(help="Tokens per text.", min=8)] = None,
    pairs: Annotated[bool, typer.Option("--pairs", help="The model reads pairs of texts.")] = False,
    fp32: Annotated[bool, typer.Option("--fp32", help="Keep full precision in place of int8.")] = False,
    keep: Annotated[
        list[Kept] | None, typer.Option(help="A precision to store beside it: fp32 for OpenVINO, fp16 for GPUs.")
    ] = None,
    licence: Annotated[str, typer.Option(help="Licence of the model.")] = "unknown",
    revision: Annotated[str | None, typer.Option(help="Revision on the hub.")] = None,
) -> None:
    """Turn a sequence-classification model into a model folder.

    For example:

        babelproof import ./my-model --out models/mine

        babelproof import ./my-model --out models/mine --keep fp32 --keep fp16

        babelproof import model.onnx --out models/mine --label no --label yes --data examples.jsonl
    """
    try:
        importing = import_module("training.importing")
    except ImportError as error:
        typer.echo(f"error: {error.name or error} is missing; pip install -c constraints.txt -e '.[train]'", err=True)
        raise typer.Exit(2) from None
    with refusals(importing.ExportError):
        importing.import_model(
            source,
            out,
            labels=label,
            languages=tuple(lang or ()),
            max_length=max_length,
            precision="fp32" if fp32 else "int8",
            revision=revision,
            pairs=pairs,
            licence=licence,
            rows=read_examples(data) if data else (),
            keep=[one.value for one in keep or ()],
        )
    typer.echo(f"{out} is ready: babelproof serve {out}")
