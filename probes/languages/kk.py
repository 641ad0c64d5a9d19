"""Kazakh."""

from probes.languages import Language

LANGUAGE = Language(
    code="kk",
    name="Kazakh",
    scripts=("Cyrillic",),
    keyboard=(" әіңғ  үұқөһ", "йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю"),
    marked="әғқңөұүһё",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config, layout kz basic",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
