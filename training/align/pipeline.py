"""What `babelproof-train align` does, from parallel text to an encoder folder.

Text, a tokenizer, a lexical initialisation, a student with the teacher's layers, distillation; each in its own file.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from transformers import AutoModel, BertModel, PreTrainedTokenizerBase

from probes.files import replacing, write_text
from training.align.card import render
from training.align.distil import Schedule, distil, teacher_vectors
from training.align.english import add_english
from training.align.lexical import initial_embeddings
from training.align.mixture import Cell, Mixture, shares
from training.align.pairs import ENGLISH, LEXICON, PairsError, ParallelText, add_lexicon, open_text, read_pairs
from training.align.student import DEFAULT_TEACHER, build_student, load_teacher
from training.align.tokenizer import balanced, train_tokenizer, wrap

Stage = Callable[[str, int], Callable[[int, str], None]]
"""Announces a stage and its amount of work; answers with what to call with the amount done so far and a note."""


@dataclass(frozen=True)
class AlignOptions:
    """What to align, and how."""

    paths: Sequence[Path]
    lexicon: Path | None = None
    english: Sequence[Path] = ()
    """Files of English text that nothing is a translation of."""
    monolingual: Path | None = None
    languages: Sequence[str] = ()
    min_pairs: int = 4000
    teacher: str = DEFAULT_TEACHER
    vocab_size: int = 40_000
    embedding_size: int = 304
    sentences_per_language: int = 7000
    max_pieces: int = 112
    tokens_per_batch: int = 6144
    english_share: float = 0.05
    language_exponent: float = 0.35
    seed: int = 0
    start: Path | None = None
    """An encoder that align made: its tokenizer and weights are taken instead of new ones."""


def align(options: AlignOptions, schedule: Schedule, out: Path, stage: Stage) -> list[str]:
    """Write an encoder folder to out and return its languages; goes on from out/work where an earlier run stopped."""
    work = out / "work"
    work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(options.seed)
    pairs = _read(options)
    languages = [ENGLISH, *pairs.counts()]
    _same_run(work, options, pairs)

    done = stage("tokenizer", 1)
    tokenizer = wrap(_tokenizer(options, pairs, work), max_length=512)
    done(1, "")
    teacher, teacher_tokenizer = load_teacher(options.teacher)
    vectors = teacher_vectors(
        teacher, teacher_tokenizer, pairs.english, work, stage("teacher vectors", len(pairs.english))
    )
    cells = _cells(pairs, tokenizer.backend_tokenizer, options.max_pieces)

    if options.start:
        student = AutoModel.from_pretrained(options.start, dtype=torch.float32)
    else:
        words, seen = _words(options, cells, pairs, teacher, teacher_tokenizer, len(tokenizer), work, stage)
        student = build_student(teacher, teacher_tokenizer, tokenizer, words, seen, options.embedding_size)

    share = shares(cells, ENGLISH, options.english_share, options.language_exponent)
    mixture = Mixture(cells, share, options.tokens_per_batch, options.seed)
    distil(student, mixture, vectors, schedule, work, tokenizer.pad_token_id, stage("distillation", schedule.steps))

    write_text(out / "README.md", render(options, schedule, pairs, sum(one.numel() for one in student.parameters())))
    student.cpu().half().save_pretrained(out)
    tokenizer.save_pretrained(out)
    write_text(out / "languages.json", json.dumps(languages) + "\n")
    return languages


def _words(
    options: AlignOptions,
    cells: Sequence[Cell],
    pairs: ParallelText,
    teacher: BertModel,
    teacher_tokenizer: PreTrainedTokenizerBase,
    size: int,
    work: Path,
    stage: Stage,
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """The new vocabulary's embeddings before distillation, and how often each piece was seen."""
    start = work / "start.pt"
    if start.exists():
        words, seen = torch.load(start, weights_only=True)
        return words.numpy(), seen.numpy()
    table = teacher.embeddings.word_embeddings.weight.detach().numpy()
    english = teacher_tokenizer(pairs.english, truncation=True, max_length=128, add_special_tokens=False)["input_ids"]
    sides: dict[str, list[tuple[list[int], list[int]]]] = defaultdict(list)
    for cell in cells:
        for ids, target in zip(cell.ids, cell.targets, strict=True):
            if english[target]:
                sides[cell.lang].append((ids[1:-1].tolist(), english[target]))
    done = stage("lexical initialisation", len(sides))

    def bitexts() -> Iterator[tuple[Sequence[Sequence[int]], Sequence[Sequence[int]]]]:
        for number, (lang, both) in enumerate(sides.items(), 1):
            yield [own for own, _ in both], [theirs for _, theirs in both]
            done(number, lang)

    words, seen = initial_embeddings(bitexts(), size, table)
    with replacing(start) as temporary:
        torch.save((torch.from_numpy(words), torch.from_numpy(seen)), temporary)
    return words, seen


def _read(options: AlignOptions) -> ParallelText:
    pairs = read_pairs(options.paths)
    counts = pairs.counts()
    missing = set(options.languages) - set(counts) - {ENGLISH}
    if missing:
        raise PairsError(f"no pairs for {', '.join(sorted(missing))}; the text given has {', '.join(counts)}")
    pairs.keep(options.languages or [lang for lang, count in counts.items() if count >= options.min_pairs])
    if not pairs.rows:
        raise PairsError(f"no language has {options.min_pairs} pairs (--min-pairs); found {counts}")
    if options.lexicon:
        add_lexicon(pairs, options.lexicon)
    for path in options.english:
        add_english(pairs, path)
    return pairs


def _same_run(work: Path, options: AlignOptions, pairs: ParallelText) -> None:
    """Refuse to go on in the folder of a run with other options or other text."""
    digest = hashlib.sha256(json.dumps([pairs.english, pairs.rows]).encode()).hexdigest()
    said = {name: str(value) for name, value in vars(options).items()} | {"text": digest}
    file = work / "options.json"
    if not file.exists():
        write_text(file, json.dumps(said, indent=1) + "\n")
        return
    before = json.loads(file.read_text())
    changed = [
        name
        for name in said
        if said[name] != before.get(name) and name not in {"paths", "lexicon", "english", "monolingual"}
    ]
    if changed:
        raise PairsError(f"{work} belongs to a run with another {', '.join(changed)}; name another --out or remove it")


def _tokenizer(options: AlignOptions, pairs: ParallelText, work: Path) -> Tokenizer:
    if options.start:
        if not (options.start / "tokenizer.json").exists():
            raise PairsError(f"{options.start}: no encoder to start from (no tokenizer.json)")
        return Tokenizer.from_file(str(options.start / "tokenizer.json"))
    file = work / "tokenizer.json"
    if not file.exists():
        texts = {lang: _sentences(options, pairs, lang) for lang in pairs.rows}
        texts |= {ENGLISH: pairs.english}
        chosen = balanced(texts, options.sentences_per_language, options.seed)
        with replacing(file) as temporary:
            train_tokenizer(chosen, options.vocab_size).save(str(temporary))
    return Tokenizer.from_file(str(file))


def _sentences(options: AlignOptions, pairs: ParallelText, lang: str) -> list[str]:
    """Sentences for the tokenizer: those aligned, and monolingual ones where they are few."""
    own = [text for source, rows in pairs.rows[lang].items() if source != LEXICON for text, _ in rows]
    if options.monolingual and len(own) < options.sentences_per_language:
        for path in sorted(options.monolingual.glob(f"{lang}.txt*")):
            with open_text(path) as stream:
                own += [line.strip() for line in stream][: options.sentences_per_language - len(own)]
    return own


def _cells(pairs: ParallelText, tokenizer: Tokenizer, max_pieces: int) -> list[Cell]:
    """Every language and source as piece ids; texts of more than max_pieces pieces are left out."""
    cells = []
    everything = {lang: sources for lang, sources in pairs.rows.items()}
    everything[ENGLISH] = {source: [(pairs.english[i], i) for i in own] for source, own in pairs.sources.items()}
    for lang, sources in everything.items():
        for source, rows in sources.items():
            encoded = tokenizer.encode_batch_fast([text for text, _ in rows])
            kept = [
                (np.array(one.ids, np.int32), i)
                for one, (_, i) in zip(encoded, rows, strict=True)
                if 2 < len(one.ids) <= max_pieces
            ]
            if kept:
                ids, targets = zip(*kept, strict=True)
                cells.append(Cell(lang, source, ids, np.array(targets)))
    return cells
