// What a character is: whether it can be seen, its number, its script, and the units that a reader takes for letters.

const UNSEEN = /[\p{Cf}\p{Cc}\p{Zs}\p{Zl}\p{Zp}\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\ufe00-\ufe0f\u{e0100}-\u{e01ef}]/u;
const MARK = /\p{M}/u;
const SCRIPTS = (
  "Latin Cyrillic Greek Armenian Hebrew Arabic Devanagari Bengali Gurmukhi Gujarati Oriya Tamil Telugu Kannada Malayalam Sinhala " +
  "Thai Lao Tibetan Myanmar Georgian Hangul Ethiopic Cherokee Canadian_Aboriginal Khmer Mongolian Hiragana Katakana Bopomofo Han Yi " +
  "Coptic Lisu Vai Tifinagh Runic Ogham Deseret Osage Warang_Citi Old_Italic Gothic"
).split(" ").map((name) => [name.replaceAll("_", " "), new RegExp(`\\p{Script=${name}}`, "u")]);
const NAMES = {
  0x08: "backspace", 0x09: "tab", 0x0a: "line break", 0x7f: "delete", 0xa0: "no-break space", 0xad: "soft hyphen", 0x34f: "grapheme joiner",
  0x61c: "Arabic letter mark", 0x200b: "zero width space", 0x200c: "zero width non-joiner",
  0x200d: "zero width joiner", 0x200e: "left-to-right mark", 0x200f: "right-to-left mark", 0x202a: "left-to-right embedding",
  0x202b: "right-to-left embedding", 0x202c: "end of direction", 0x202d: "left-to-right override", 0x202e: "right-to-left override",
  0x2060: "word joiner", 0x2061: "function application", 0x2062: "invisible times", 0x2063: "invisible separator", 0x2064: "invisible plus",
  0x2066: "left-to-right isolate", 0x2067: "right-to-left isolate", 0x2068: "first strong isolate", 0x2069: "end of isolate",
  0x3000: "ideographic space", 0xfeff: "zero width no-break space",
};
const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

export const codePoint = (character) => `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;

/** Letters as a reader takes them, marks and all; what cannot be seen stands alone. */
export const units = (text) =>
  Array.from(graphemes.segment(text)).flatMap(({ segment }) =>
    /\p{Emoji_Presentation}|\ufe0f/u.test(segment) ? [segment] : segment.split(/([\p{Cf}\p{Cc}])/u).filter(Boolean));

export const scriptOf = (text) => SCRIPTS.find(([, pattern]) => pattern.test(text))?.[0];

/** Whether it shows nothing: by itself, or a plain space where nothing but it was changed. */
export const unseen = (character, alone) => UNSEEN.test(character) && (alone || character !== " ");

/** A mark with no letter of its own in the text: it needs one to be shown on. */
export const bareMark = (text) => MARK.test(Array.from(text)[0] ?? "");

/** A letter of the same script that no keyboard has: IPA and phonetic letters that pass for plain ones. */
export const phonetic = (text) => /[\u0180-\u019f\u01b1-\u02ff\u1d00-\u1dbf\u2c60-\u2c7f\ua720-\ua7ff]/u.test(text);

/** Whether its letters join, so that nothing may come between them on the screen. */
export const joins = (text) => /[\p{Script=Arabic}\p{Script=Syriac}\p{Script=Mongolian}\p{Script=Nko}]/u.test(text);

function named(character) {
  const code = character.codePointAt(0);
  if (character === " ") return "space";
  if (code > 0xe001f && code < 0xe007f) return `tag “${String.fromCodePoint(code - 0xe0000)}”`;
  return NAMES[code] ?? (MARK.test(character) ? "combining mark" : unseen(character) ? "unseen character" : "");
}

/** A character spelled out: “Cyrillic а U+0430”, “zero width space U+200B”. */
export function spelled(character) {
  const name = named(character);
  return `${name || `${scriptOf(character) ?? "sign"} ${character}`} ${codePoint(character)}`;
}
