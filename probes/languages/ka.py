"""Georgian."""

from probes.languages import Language

LANGUAGE = Language(
    code="ka",
    name="Georgian",
    scripts=("Georgian",),
    keyboard=("", "ქწერტყუიოპ", "ასდფგჰჯკლ", "ზხცვბნმ"),
    shift=("", " ჭ ღთ", " შ    ჟ", "ძ ჩ"),
    sources=(
        "keyboard: xkeyboard-config, layout ge basic",
        "punctuation: standard orthography",
    ),
)
