// Sentences of the reader's own: pasted lines, or a file read here in the browser (.txt, .csv, .tsv, .jsonl).

import { byId } from "./dom.js";
import { facts, served } from "./served.js";

const MOST_BYTES = 8_000_000;
const KEYS = { text: ["text", "sentence", "premise"], pair: ["pair", "text_pair", "hypothesis"], label: ["label"], lang: ["lang", "language"] };

/** Sentences for a model as {text, pair, label, lang}; an Error says in which line something is wrong. */
export async function own(model) {
  const [file] = byId("file").files;
  if (file && file.size > MOST_BYTES) throw new Error(`${file.name} is larger than ${MOST_BYTES / 1e6} MB; take a part of it.`);
  const found = file ? parse(await file.text(), file.name) : lines(byId("own").value).map(({ text }) => ({ text }));
  if (!found.length) throw new Error("Type a sentence a line, or choose a file.");
  const [{ pairs, labels }, { limits }] = [facts(model), served.about];
  for (const [place, one] of found.entries()) {
    if (Array.from(one.text).length > limits.max_chars) throw new Error(`Sentence ${place + 1} is longer than ${limits.max_chars} characters.`);
    if (pairs && !one.pair) throw new Error(`Sentence ${place + 1} has no pair; this model reads pairs: use a file with the columns text and pair.`);
  }
  return found.map((one) => ({ ...one, label: labels.includes(one.label) ? one.label : null }));
}

const lines = (text) => text.split(/\r?\n/).map((line, place) => ({ text: line.trim(), line: place + 1 })).filter(({ text: one }) => one);

function parse(text, name) {
  const content = text.replace(/^\ufeff/, "");
  if (/\.(jsonl|ndjson)$/i.test(name)) return lines(content).map(({ text: one, line }) => picked(json(one, name, line), `${name}, line ${line}`));
  const separator = /\.csv$/i.test(name) ? "," : /\.tsv$/i.test(name) ? "\t" : null;
  return separator ? table(content, separator, name) : lines(content).map(({ text: one }) => ({ text: one }));
}

function json(line, name, number) {
  try {
    return JSON.parse(line);
  } catch {
    throw new Error(`${name}, line ${number}, is not JSON; a line is like {"text": "…", "lang": "de"}.`);
  }
}

function picked(row, where) {
  const one = Object.fromEntries(Object.entries(KEYS).map(([key, names]) => [key, names.map((name) => row?.[name]).find((value) => typeof value === "string" && value)]));
  if (!one.text) throw new Error(`${where}, has no "text".`);
  return one;
}

/** Rows of a table with a head that names its columns; without such a head, the first column is the text. */
function table(content, separator, name) {
  const [head, ...rows] = cells(content, separator).filter((row) => row.some(Boolean));
  const names = (head ?? []).map((cell) => cell.trim().toLowerCase());
  if (!names.some((one) => KEYS.text.includes(one))) return [head, ...rows].filter((row) => row?.[0]).map(([text]) => ({ text: text.trim() }));
  return rows.map((row, place) => picked(Object.fromEntries(names.map((one, column) => [one, row[column]?.trim()])), `${name}, row ${place + 2}`));
}

/** Cells by RFC 4180: quotes around a cell, doubled within it; a cell may hold line breaks. */
function cells(content, separator) {
  const rows = [[""]];
  let quoted = false;
  for (let at = 0; at < content.length; at += 1) {
    const [character, row] = [content[at], rows.at(-1)];
    if (quoted) {
      if (character !== '"') row[row.length - 1] += character;
      else if (content[at + 1] === '"') { row[row.length - 1] += '"'; at += 1; } else quoted = false;
    } else if (character === '"' && row.at(-1) === "") quoted = true;
    else if (character === separator) row.push("");
    else if (character === "\n") rows.push([""]);
    else if (character !== "\r") row[row.length - 1] += character;
  }
  return rows;
}
