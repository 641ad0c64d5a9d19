"""Russian."""

from probes.languages import Language

LANGUAGE = Language(
    code="ru",
    name="Russian",
    scripts=("Cyrillic",),
    keyboard=("", "йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю"),
    marked="ё",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config, layout ru winkeys",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
