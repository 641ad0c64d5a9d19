"""Czech."""

from probes.languages import Language

LANGUAGE = Language(
    code="cs",
    name="Czech",
    scripts=("Latin",),
    keyboard=("cz",),
    marked="áčďéěíňóřšťúůýž",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
