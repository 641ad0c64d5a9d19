"""`python -m service`: check the model, then serve it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

import runtime
from runtime.session import BackendError
from service.http import logs
from service.models import folders
from service.opening import open_model
from service.preflight import check
from service.settings import SettingsError, read_settings
from service.supervisor import StartError, serve


def main(
    model: Annotated[Path | None, typer.Option(help="Model folder.", show_default="models/topics")] = None,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 picks a free one.", min=0, max=65535)] = 3000,
    workers: Annotated[int | None, typer.Option(help="Processes, a model copy each.", min=1, show_default="2")] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate chain (PEM), to speak HTTPS.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its private key (PEM).")] = None,
) -> None:
    """Serve a model folder over HTTP, with a page at /; further settings are BABELPROOF_* variables.

    Example: python -m service --model models/topics --port 3000
    """
    try:
        settings = read_settings()
        settings = replace(settings, model=model or settings.model, workers=workers or settings.workers)
        settings = replace(settings, tls_cert=tls_cert or settings.tls_cert, tls_key=tls_key or settings.tls_key)
        logs.set_up(settings.log_format)
        check(settings, host)
        for folder in folders(settings).values():
            # what auto measures is measured here, once, before the workers share the cores
            open_model(settings, folder).close()
        status = serve(settings, host, port)
    except (runtime.ModelFolderError, BackendError, SettingsError, StartError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    raise typer.Exit(status)


if __name__ == "__main__":
    typer.run(main)
