"""Documents that cannot drift: their tables are computed, their Python runs, their commands and files exist.

`python -m tests.test_docs` rewrites the tables.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

import pytest
import typer

from probes import attacks, battery, behaviour, defences, languages, perturbations
from probes.scripts import keyboards
from probes.synonyms import sources
from runtime import catalogue

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
TABLE = re.compile(r"(<!-- table: (\w+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def tables() -> dict[str, str]:
    codes = languages.codes()
    return {
        "perturbations": table(
            ["name", "does", "unit", "languages"],
            [
                [
                    f"`{name}`",
                    perturbations.describe(name),
                    perturbations.unit(name),
                    f"{sum(perturbations.applicable(name, languages.get(code)) for code in codes)} of {len(codes)}",
                ]
                for name in perturbations.names()
            ],
        ),
        "synonyms": table(["source", "is"], [[f"`{name}`", what] for name, what in sources.NAMES.items()]),
        "nlpaug": table(
            ["name", "does", "leaves alone", "data of yours", "languages"],
            [
                [
                    f"`{row['name']}`",
                    row["does"],
                    row["leaves alone"],
                    f"`{row['data']}`" if row["data"] else "",
                    f"{len(row['languages'])} of {len(codes)}",
                ]
                for row in catalogue.rows("nlpaug")
            ],
        ),
        "attacks": table(["name", "does"], [[f"`{name}`", attacks.describe(name)] for name in attacks.names()]),
        "batteries": table(
            ["name", "steps"],
            [[f"`{name}`", ", ".join(step.name for step in battery.load(name).steps)] for name in battery.names()],
        ),
        "keyboards": table(
            ["language", "keyboard", "source"],
            [
                [
                    f"`{code}` {(language := languages.get(code)).name}",
                    ", ".join(f"`{name}` {keyboards.layout(name).title}" for name in language.keyboard) or "none",
                    next((s.partition(": ")[2] for s in language.sources if s.startswith("keyboard: ")), ""),
                ]
                for code in codes
            ],
        ),
        "languages": table(
            ["code", "language", "scripts", "not applicable"],
            [
                [
                    f"`{code}`",
                    (language := languages.get(code)).name,
                    ", ".join(language.scripts),
                    ", ".join(name for name in perturbations.names() if not perturbations.applicable(name, language)),
                ]
                for code in codes
            ],
        ),
        "defences": table(["name", "does"], [[f"`{name}`", defences.describe(name)] for name in defences.names()]),
        **behaviour_tables(),
    }


def behaviour_tables() -> dict[str, str]:
    suite = behaviour.load()
    return {
        "behaviours": table(
            ["task", "test", "kind", "says", "languages"],
            [
                [found.task, f"`{found.name}`", found.kind, found.says, str(len(asked))]
                for found in suite.behaviours
                if (asked := [lang for lang in suite.languages if found in suite.of(found.task, lang)])
            ],
        ),
        "behaviours_by_language": table(
            ["language", *(f"{task}: tests (templates)" for task in behaviour.TASKS)],
            [
                [
                    f"`{lang}` {languages.get(lang).name}",
                    *(
                        f"{len(found)} ({sum(len(suite.templates[lang, task, one.name]) for one in found)})"
                        for task in behaviour.TASKS
                        if (found := suite.of(task, lang)) is not None
                    ),
                ]
                for lang in suite.languages
            ],
        ),
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_tables_are_those_of_the_code(page: Path) -> None:
    computed = tables()
    for _, name, body, _ in TABLE.findall(page.read_text(encoding="utf-8")):
        assert body == computed[name], f"{page.name}: {name}; python -m tests.test_docs rewrites it"


def test_the_pages_have_every_table() -> None:
    found = {name for page in PAGES for _, name, _, _ in TABLE.findall(page.read_text(encoding="utf-8"))}
    assert found == set(tables())


def blocks(language: str) -> list[tuple[str, str]]:
    return [
        (page.name, code)
        for page in PAGES
        for kind, code in BLOCK.findall(page.read_text(encoding="utf-8"))
        if kind == language
    ]


SELF_CONTAINED = {
    "CONTRIBUTING.md",
    "README.md",
    "certificates.md",
    "fix.md",
    "probes.md",
    "runs.md",
    "training.md",
    "verdicts.md",
}
"""Pages whose Python needs neither a server nor a model folder; the others are run by the tests of their subject."""


@pytest.mark.parametrize(("page", "code"), [block for block in blocks("python") if block[0] in SELF_CONTAINED])
def test_python_in_the_documents_runs(page: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    exec(compile(code, page, "exec"), {"__name__": page})


def commands() -> list[tuple[str, list[str]]]:
    found = []
    for page, code in [*blocks("sh"), *blocks("console"), *blocks("bash")]:
        for line in code.replace("\\\n", " ").splitlines():
            if line.startswith(("babelproof ", "babelproof-train ")):
                found.append((page, shlex.split(line, comments=True)))
    return found


@pytest.mark.parametrize(("page", "words"), commands(), ids=lambda value: str(value)[:60])
def test_commands_in_the_documents_exist_with_their_options(page: str, words: list[str]) -> None:
    from runtime.cli import app as front
    from training.cli import app as workshop

    group = typer.main.get_command(front if words[0] == "babelproof" else workshop)
    command, *rest = group.commands[words[1]], *words[2:]  # type: ignore[attr-defined]
    while hasattr(command, "commands"):
        command, *rest = command.commands[rest[0]], *rest[1:]
    options = {flag for parameter in command.params for flag in [*parameter.opts, *parameter.secondary_opts]} | {
        "--help"
    }
    used = {word.split("=")[0] for word in rest if word.startswith("--")}
    assert used <= options, page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert target.startswith("http") or (page.parent / target).exists(), target


def test_make_help_lists_what_the_readme_promises() -> None:
    targets = set(re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        for target in re.findall(r"`make (\w+)", page.read_text(encoding="utf-8")):
            assert target in targets, f"{page.name}: make {target}"


if __name__ == "__main__":
    computed = tables()
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        page.write_text(TABLE.sub(lambda found: found[1] + computed[found[2]] + found[4], text), encoding="utf-8")
