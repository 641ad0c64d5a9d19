"""Catalan."""

from probes.languages import Language

LANGUAGE = Language(
    code="ca",
    name="Catalan",
    scripts=("Latin",),
    keyboard=("es(cat)",),
    marked="àçéèíïóòúü",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
