"""Slovak."""

from probes.languages import Language

LANGUAGE = Language(
    code="sk",
    name="Slovak",
    scripts=("Latin",),
    keyboard=("sk",),
    marked="áäčďéíĺľňóôŕšťúýž",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
