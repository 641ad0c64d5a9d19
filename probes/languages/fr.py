"""French."""

from probes.languages import Language

LANGUAGE = Language(
    code="fr",
    name="French",
    scripts=("Latin",),
    keyboard=(" é    è çà", "azertyuiop", "qsdfghjklmù", "wxcvbn"),
    marked="àâçéèêëîïôùûü",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config, layout fr basic",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
