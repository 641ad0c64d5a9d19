"""From finding to fix on the command line: `babelproof fix`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from probes import battery as batteries
from probes import defences
from probes.data import read_examples
from probes.files import write_text
from probes.fix import USUAL, FixError
from probes.fix import fix as find_fix
from probes.render import fix as rendering
from probes.report import ReportError
from runtime.speaking import console, progress, refusals, table
from runtime.targets import TARGETS, open_classifier


def fix(
    battery: Annotated[str, typer.Argument(help="A battery of noise: its name or a .toml file.")],
    model: Annotated[str, typer.Option(help=TARGETS)],
    data: Annotated[Path, typer.Option(help="Examples with labels, .jsonl, .tsv, .csv (or .gz).")],
    defence: Annotated[
        list[str] | None,
        typer.Option(help=f"A defence, or several in turn (nfkc+repair-script): {', '.join(defences.names())}."),
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Examples per language.", min=1)] = None,
    lang: Annotated[list[str] | None, typer.Option(help="Only this language; may be given again.")] = None,
    max_loss: Annotated[
        float, typer.Option(help="Share of clean texts that a chosen defence may cost a language.", min=0, max=1)
    ] = 0.003,
    out: Annotated[
        Path | None, typer.Option(help="Write the choice to a .toml file, or the trials to .json or .md.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of a table.")] = False,
) -> None:
    """Run a battery under each defence; print what each gains and costs, language by language, and which to take.

    For example:

        babelproof fix unicode --model models/topics --data examples/demo.jsonl --out defence.toml

        babelproof fix noise --model models/topics --data test.jsonl --defence nfkc --defence nfkc+vote --max-loss 0.01
    """
    with refusals(FixError):
        if out is not None and out.suffix not in (".toml", ".json", ".md"):
            raise FixError(f"{out}: the choice is written to a file that ends in .toml, .json or .md")
        chains = [tuple(one.split("+")) for one in defence] if defence else USUAL
        chosen = batteries.load(battery)
        examples = [one for one in read_examples(data, limit) if not lang or one.lang in lang]
        classifier = open_classifier(model)
        with progress(chosen.name) as advance:
            total = len(chains) + 1
            done: list[str] = []

            def told(name: str, finished: int, wanted: int) -> None:
                if name not in done:
                    done.append(name)
                advance((len(done) - 1) * wanted + finished, total * wanted)

            found = find_fix(chosen, classifier, examples, chains, max_loss=max_loss, progress=told)
        if out is not None:
            forms = {".toml": found.to_toml, ".json": found.to_json, ".md": lambda: rendering.markdown(found)}
            _written(out, forms[out.suffix]())
    if as_json:
        typer.echo(found.to_json(), nl=False)
        return
    console().print(table("Defences", rendering.rows(found)))
    console().print(table("By language", rendering.language_rows(found)))
    console().print(f"{rendering.choice(found)} {rendering.LEGEND}")


def _written(out: Path, text: str) -> None:
    try:
        write_text(out, text)
    except OSError as error:
        raise ReportError(f"the choice cannot be written: {error}") from error
    typer.echo(f"written: {out}", err=True)
