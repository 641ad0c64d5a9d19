"""Japanese."""

from probes.languages import Language

LANGUAGE = Language(
    code="ja",
    name="Japanese",
    scripts=("Hiragana", "Katakana", "Han"),
    keyboard=("ぬふあうえおやゆよわほへ", "たていすかんなにらせ", "ちとしはきくまのりれけむ", "つさそひこみもねるめろ"),
    shift=("ヌフアウエオヤユヨワホヘ", "タテイスカンナニラセ", "チトシハキクマノリレケム", "ツサソヒコミモネルメロ"),
    punctuation="。、！？",
    spaces=False,
    sources=(
        "keyboard: xkeyboard-config, layout jp kana (JIS X 6002)",
        "punctuation: standard orthography",
    ),
)
