// A changed sentence letter by letter: what went, what came, and in words what an eye cannot tell.

import { bareMark, codePoint, joins, phonetic, scriptOf, spelled, units, unseen } from "./characters.js";
import { make } from "./dom.js";

/** More of them in words than this no reader wants. */
const WORDED = 4;
const isMark = (character) => /\p{Mn}/u.test(character);

/** Some letters as they are shown; the unseen among them are spelled by their number. */
function letters(text) {
  const characters = Array.from(text);
  const spell = (character) => make("span", { class: "unseen", dir: "ltr" }, character === " " ? "space" : codePoint(character));
  if (bareMark(text)) return [`◌${text}`];
  return characters.map((character) => (unseen(character, characters.length === 1) ? spell(character) : character));
}

/** Drops what an edit leaves as it was: [same, went, came, same], cut between letters as a reader takes them. */
function trimmed(removed, added) {
  const [a, b] = [units(removed), units(added)];
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a.at(-1 - tail) === b.at(-1 - tail)) tail += 1;
  const between = (all) => all.slice(head, all.length - tail).join("");
  return [a.slice(0, head).join(""), between(a), between(b), a.slice(a.length - tail).join("")];
}

/** A text cut into [same, went, came] triples; edits count code points. */
function cut(text, edits) {
  const characters = Array.from(text);
  const parts = [];
  let from = 0;
  for (const { start, end, new: added } of [...edits].sort((a, b) => a.start - b.start || a.end - b.end)) {
    const [before, went, came, after] = trimmed(characters.slice(start, end).join(""), added);
    parts.push([characters.slice(from, start).join("") + before, went, came], [after, "", ""]);
    from = end;
  }
  return [...parts, [characters.slice(from).join(""), "", ""]];
}

/** The original text with every edit in its place, and below it in words what an eye cannot tell; alike: every letter. */
export function changed(text, edits, lang, alike = false) {
  const parts = cut(text, edits);
  const line = make("p", { dir: "auto", class: joins(text) ? "sentence joined" : "sentence", lang });
  for (const [same, went, came] of parts) {
    line.append(same);
    if (went) line.append(make("del", {}, ...letters(went)));
    if (came) line.append(make("ins", {}, ...letters(came)));
  }
  const counts = new Map();
  for (const words of parts.flatMap(([, went, came]) => inWords(went, came, alike))) counts.set(words, (counts.get(words) ?? 0) + 1);
  const said = [...counts].map(([words, times]) => (times > 1 ? `${words}, ${times} times` : words));
  if (!said.length) return [line];
  const more = said.length > WORDED ? [make("li", {}, `and ${said.length - WORDED} more`)] : [];
  return [line, make("ul", { class: "worded" }, ...said.slice(0, WORDED).map((words) => make("li", {}, make("bdi", {}, words))), ...more)];
}

/** Sentences for what cannot be seen, and for letters that pass for others. */
function inWords(went, came, alike) {
  const strange = Array.from(came).filter((character) => unseen(character, true) && character !== " " && !went.includes(character));
  const said = strange.map((character) => `${spelled(character)} slipped in`);
  const [old, now] = [Array.from(went), Array.from(came)];
  if (old.length === 1 && now.length === 1 && old[0] !== now[0] && !unseen(now[0], true)) {
    const [from, to] = [scriptOf(went), scriptOf(came)];
    if (alike || to !== from || phonetic(came) || went.normalize("NFKC") === came.normalize("NFKC")) said.push(`${spelled(went)} became ${spelled(came)}`);
  }
  if (now.filter(isMark).length > old.filter(isMark).length && !strange.length) said.push("combining marks set on a letter");
  return said;
}
