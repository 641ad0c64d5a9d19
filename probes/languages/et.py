"""Estonian."""

from probes.languages import Language

LANGUAGE = Language(
    code="et",
    name="Estonian",
    scripts=("Latin",),
    keyboard=("ee",),
    marked="äõöüšž",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
