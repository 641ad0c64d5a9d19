"""English."""

from probes.languages import Language

LANGUAGE = Language(
    code="en",
    name="English",
    scripts=("Latin",),
    keyboard=("us",),
    marked="éèêïöñç",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
