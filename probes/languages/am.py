"""Amharic."""

from probes.languages import Language

LANGUAGE = Language(
    code="am",
    name="Amharic",
    scripts=("Ethiopic",),
    punctuation="።፣፤",
    sources=("punctuation: standard orthography",),
)
