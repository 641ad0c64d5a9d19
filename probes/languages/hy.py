"""Armenian."""

from probes.languages import Language

LANGUAGE = Language(
    code="hy",
    name="Armenian",
    scripts=("Armenian",),
    keyboard=("էթփձջ  րչճ ժ", "քոեռտըւիօպխծ", "ասդֆգհյկլ", "զղցվբնմ"),
    punctuation="։,՝",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config, layout am phonetic",
        "punctuation: standard orthography",
    ),
)
