"""Estonian."""

from probes.languages import Language

LANGUAGE = Language(
    code="et",
    name="Estonian",
    scripts=("Latin",),
    keyboard=("", "qwertyuiopüõ", "asdfghjklöä", "zxcvbnm"),
    marked="äõöüšž",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config, layout ee basic",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
