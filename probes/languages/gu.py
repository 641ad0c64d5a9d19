"""Gujarati."""

from probes.languages import Language

LANGUAGE = Language(
    code="gu",
    name="Gujarati",
    scripts=("Gujarati",),
    keyboard=("", "ૌૈાીૂબહગદજડ", "ોે્િુપરકતચટ", " ંમનવલસ  ય"),
    shift=("", "ઔઐઆઈઊભઙઘધઝઢઞ", "ઓએઅઇઉફ ખથછઠ", " ઁણ  ળશષ"),
    sources=(
        "keyboard: xkeyboard-config, layout in guj (InScript)",
        "punctuation: standard orthography",
    ),
)
