"""`babelproof keys`: make, list and revoke API keys in a file that running workers follow."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from service.keys.register import Key, KeysError, Role, new, read, write
from service.settings import read_settings

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
File = Annotated[Path | None, typer.Option(help="The file of keys.", show_default="BABELPROOF_KEYS, or keys.toml")]
_LIMITS = ("requests_per_minute", "texts_per_minute", "texts_per_day", "max_jobs")


@app.command("new")
def new_(
    name: Annotated[str, typer.Argument(help="Who or what will use it.")],
    role: Annotated[list[str] | None, typer.Option(help="use, jobs, metrics or admin; may be given again.")] = None,
    requests_per_minute: Annotated[int | None, typer.Option(min=1)] = None,
    texts_per_minute: Annotated[int | None, typer.Option(min=1)] = None,
    texts_per_day: Annotated[int | None, typer.Option(min=1, help="Days begin at midnight UTC.")] = None,
    max_jobs: Annotated[int | None, typer.Option(min=1, help="Jobs that wait or run at once.")] = None,
    file: File = None,
) -> None:
    """Make a key; it is printed this once, the file keeps its SHA-256.

    Example: babelproof keys new anna --role use --role jobs --texts-per-minute 60000
    """
    path = _path(file)
    keys = _read(path) if path.exists() else {}
    if name in keys:
        _fail(f"{path} has a key called {name}; revoke it first, or choose another name")
    secret, sha256 = new()
    limits = dict(zip(_LIMITS, (requests_per_minute, texts_per_minute, texts_per_day, max_jobs), strict=True))
    roles: tuple[Role, ...] = tuple(role or ("use",))  # type: ignore[arg-type]
    key = replace(Key(sha256=sha256, roles=roles), **limits)  # type: ignore[arg-type]
    try:
        write(path, keys | {name: key})
    except KeysError as error:  # a name or a role that is none
        _fail(str(error))
    typer.echo(secret)
    typer.echo(f"kept in {path} as its SHA-256; send it as `Authorization: Bearer KEY` or `X-API-Key: KEY`", err=True)


@app.command("list")
def list_(file: File = None) -> None:
    """List the keys: names, roles and limits; the secrets are not known here.

    Example: babelproof keys list
    """
    shown = Table("name", "roles", *(limit.replace("_", " ") for limit in _LIMITS))
    for name, key in sorted(_read(_path(file)).items()):
        shown.add_row(name, ", ".join(key.roles), *(str(getattr(key, limit) or "–") for limit in _LIMITS))
    Console().print(shown)


@app.command()
def revoke(name: Annotated[str, typer.Argument(help="The key's name.")], file: File = None) -> None:
    """Take a key away; running workers refuse it within a second or so.

    Example: babelproof keys revoke anna
    """
    path = _path(file)
    keys = _read(path)
    if keys.pop(name, None) is None:
        _fail(f"{path} has no key called {name}")
    write(path, keys)
    typer.echo(f"{name} is revoked")


def _path(file: Path | None) -> Path:
    return file or read_settings().keys or Path("keys.toml")


def _read(path: Path) -> dict[str, Key]:
    try:
        return read(path)
    except KeysError as error:
        _fail(str(error))


def _fail(sentence: str) -> NoReturn:
    typer.echo(f"error: {sentence}", err=True)
    raise typer.Exit(2)


if __name__ == "__main__":
    app(prog_name="babelproof keys")
