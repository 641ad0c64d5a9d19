"""Chinese."""

from probes.languages import Language

LANGUAGE = Language(
    code="zh",
    name="Chinese",
    scripts=("Han",),
    punctuation="。，！？；：",
    spaces=False,
    without=("keyboard", "marks"),
    sources=("punctuation: standard orthography",),
)
