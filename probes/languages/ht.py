"""Haitian Creole."""

from probes.languages import Language

LANGUAGE = Language(
    code="ht",
    name="Haitian Creole",
    scripts=("Latin",),
    keyboard=("fr",),
    marked="èòà",
    casing="default",
    sample="Timoun yo ap jwe nan lakou lekòl la chak maten, epi yo kontan.",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
