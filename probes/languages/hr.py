"""Croatian."""

from probes.languages import Language

LANGUAGE = Language(
    code="hr",
    name="Croatian",
    scripts=("Latin",),
    keyboard=("hr",),
    marked="čćđšž",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
