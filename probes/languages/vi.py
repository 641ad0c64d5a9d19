"""Vietnamese."""

from probes.languages import Language

LANGUAGE = Language(
    code="vi",
    name="Vietnamese",
    scripts=("Latin",),
    keyboard=("us",),
    marked="àáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵ",
    casing="default",
    sources=(
        "keyboard: xkeyboard-config",
        "marks: letters of the standard orthography whose mark is left out where a keyboard lacks it",
        "punctuation: standard orthography",
    ),
)
