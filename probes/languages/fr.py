"""French."""

from probes.languages import Language

LANGUAGE = Language(
    code="fr",
    name="French",
    scripts=("Latin",),
    keyboard=("fr",),
    marked="àâçéèêëîïôùûü",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
