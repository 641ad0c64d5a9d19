// Shows a changed sentence letter by letter: what went, what came, and what cannot be seen.

import { make } from "./dom.js";

const UNSEEN = /[\p{Cf}\p{Cc}\p{Zs}\p{Zl}\p{Zp}\p{Mn}\u115f\u1160\u3164\uffa0]/u;
const SCRIPTS = ["Latin", "Cyrillic", "Greek", "Armenian", "Hebrew", "Arabic", "Devanagari", "Thai", "Georgian"].map(
  (name) => [name, new RegExp(`\\p{Script=${name}}`, "u")],
);

const codePoint = (character) => `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
const scriptOf = (text) => SCRIPTS.find(([, pattern]) => pattern.test(text))?.[0];

/** The nodes of some letters; the unseen among them are spelled by their number. */
function letters(text) {
  const characters = Array.from(text);
  return characters.map((character, place) => {
    const mark = /\p{Mn}/u.test(character) && place > 0;
    const between = character === " " && characters.length > 1;
    return UNSEEN.test(character) && !mark && !between
      ? make("span", { class: "unseen", dir: "ltr" }, character === " " ? "space" : codePoint(character))
      : document.createTextNode(character);
  });
}

function change(removed, added) {
  const parts = [];
  if (removed) parts.push(make("del", {}, ...letters(removed)));
  if (added) {
    const ins = make("ins", { title: Array.from(added).map(codePoint).join(" ") }, ...letters(added));
    const looksAlike = removed && scriptOf(added) && scriptOf(removed) !== scriptOf(added);
    if (looksAlike) ins.append(make("span", { class: "unseen", dir: "ltr" }, Array.from(added).map(codePoint).join(" ")));
    parts.push(ins);
  }
  return parts;
}

/** Drops what an edit leaves as it was, so that only letters that differ are marked. */
function trimmed(removed, added) {
  const [a, b] = [Array.from(removed), Array.from(added)];
  const joins = (character) => character !== undefined && /[\p{M}\u200d]/u.test(character);
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1;
  while (head > 0 && (joins(a[head]) || joins(b[head])) && a[head] !== "\u200d" && b[head] !== "\u200d") head -= 1;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1;
  while (tail > 0 && (joins(a[a.length - tail]) || joins(b[b.length - tail]))) tail -= 1;
  return [a.slice(0, head), a.slice(head, a.length - tail), b.slice(head, b.length - tail), a.slice(a.length - tail)].map(
    (part) => part.join(""),
  );
}

/** A paragraph with the original text and every edit in its place; edits count code points. */
export function changed(text, edits, lang) {
  const characters = Array.from(text);
  const line = make("p", { dir: "auto", class: "sentence", lang });
  let from = 0;
  for (const { start, end, new: added } of [...edits].sort((a, b) => a.start - b.start || a.end - b.end)) {
    const [before, gone, come, after] = trimmed(characters.slice(start, end).join(""), added);
    line.append(characters.slice(from, start).join(""), before, ...change(gone, come), after);
    from = end;
  }
  line.append(characters.slice(from).join(""));
  return line;
}
