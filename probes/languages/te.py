"""Telugu."""

from probes.languages import Language

LANGUAGE = Language(
    code="te",
    name="Telugu",
    scripts=("Telugu",),
    keyboard=("", "ౌైాీూబహగదజడ", "ోే్ిుపరకతచట", "ెంమనవలస  య"),
    shift=("", "ఔఐఆఈఊభఙఘధఝఢఞ", "ఓఏఅఇఉఫఱఖథఛఠ", "ఎఁణ  ళశష"),
    sources=(
        "keyboard: xkeyboard-config, layout in tel (InScript)",
        "punctuation: standard orthography",
    ),
)
