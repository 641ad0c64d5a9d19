"""Chinese."""

from probes.languages import Language

LANGUAGE = Language(
    code="zh",
    name="Chinese",
    scripts=("Han",),
    punctuation="。，！？；：",
    spaces=False,
    sources=("punctuation: standard orthography",),
)
