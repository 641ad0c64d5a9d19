"""Greek."""

from probes.languages import Language

LANGUAGE = Language(
    code="el",
    name="Greek",
    scripts=("Greek",),
    keyboard=("gr",),
    marked="άέήίόύώϊϋΐΰ",
    punctuation=".,!;:·",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
