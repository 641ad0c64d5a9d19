"""Finnish."""

from probes.languages import Language

LANGUAGE = Language(
    code="fi",
    name="Finnish",
    scripts=("Latin",),
    keyboard=("fi",),
    marked="åäö",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
