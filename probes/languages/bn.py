"""Bengali."""

from probes.languages import Language

LANGUAGE = Language(
    code="bn",
    name="Bengali",
    scripts=("Bengali",),
    keyboard=("", "ৌৈাীূবহগদজড", "োে্িুপরকতচট", " ংমন লস  য"),
    shift=("", "ঔঐআঈঊভঙঘধঝঢঞ", "ওএঅইউফ খথছঠ", " ঁণ   শষ"),
    marks="\u09bc",
    punctuation="।,!?;:",
    sources=(
        "keyboard: xkeyboard-config, layout in ben (InScript)",
        "marks: the dot below, often left out in typing",
        "punctuation: standard orthography",
    ),
)
