"""`babelproof serve` and `babelproof keys`: hand over to the service, which stands beside this package."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer


def serve(
    model: Annotated[Path, typer.Argument(help="A model folder.")],
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 3000,
) -> None:
    """Serve a model over HTTP, with a page at /.

    Example: babelproof serve models/topics --port 3000
    """
    _enter("service", "--model", str(model), "--host", host, "--port", str(port))


def keys(context: typer.Context) -> None:
    """Make, list and revoke API keys of the service; `babelproof keys --help` says how.

    Example: babelproof keys new anna --role use --texts-per-minute 60000
    """
    _enter("service.keys.command", *context.args)


def _enter(module: str, *arguments: str) -> NoReturn:
    if not Path("service", "__main__.py").is_file():
        typer.echo("error: there is no service here; run this in the checkout or in the image", err=True)
        raise typer.Exit(2)
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])
