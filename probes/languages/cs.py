"""Czech."""

from probes.languages import Language

LANGUAGE = Language(
    code="cs",
    name="Czech",
    scripts=("Latin",),
    keyboard=(" ěščřžýáíé", "qwertzuiopú", "asdfghjklů", "yxcvbnm"),
    marked="áčďéěíňóřšťúůýž",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config, layout cz basic",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
