"""Serbian."""

from probes.languages import Language

LANGUAGE = Language(
    code="sr",
    name="Serbian",
    scripts=("Cyrillic", "Latin"),
    keyboard=("", "љњертзуиопшђ", "асдфгхјклчћж", "ѕџцвбнм"),
    shift=("", "qwertzuiopšđ", "asdfghjklčćž", "yxcvbnm"),
    marked="čćđšž",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config, layout rs basic and rs latin",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
