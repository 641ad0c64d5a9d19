"""Javanese."""

from probes.languages import Language

LANGUAGE = Language(
    code="jv",
    name="Javanese",
    scripts=("Latin",),
    keyboard=("id",),
    marked="éèê",
    casing="default",
    sample="Bocah-bocah padha dolanan ing latar sekolah saben ésuk.",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
