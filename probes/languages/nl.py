"""Dutch."""

from probes.languages import Language

LANGUAGE = Language(
    code="nl",
    name="Dutch",
    scripts=("Latin",),
    keyboard=("us(intl)",),
    marked="éèëïöü",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
