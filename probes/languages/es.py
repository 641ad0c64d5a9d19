"""Spanish."""

from probes.languages import Language

LANGUAGE = Language(
    code="es",
    name="Spanish",
    scripts=("Latin",),
    keyboard=("es",),
    marked="áéíóúüñ",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
