"""Korean."""

from probes.languages import Language

LANGUAGE = Language(
    code="ko",
    name="Korean",
    scripts=("Hangul",),
    keyboard=("kr",),
    without=("marks",),
    sources=(
        "keyboard: KS X 5002 (Dubeolsik)",
        "punctuation: standard orthography",
    ),
)
