"""Telugu."""

from probes.languages import Language

LANGUAGE = Language(
    code="te",
    name="Telugu",
    scripts=("Telugu",),
    keyboard=("in(tel)",),
    without=("marks",),
    sources=(
        "keyboard: xkeyboard-config",
        "punctuation: standard orthography",
    ),
)
