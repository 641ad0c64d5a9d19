// Which probes are run on a sentence: families to choose from, how strong, how many draws.

import { byId, make, spaced } from "./dom.js";
import { served } from "./served.js";

/** Families of perturbations; one that stands in none is in the last. */
const FAMILIES = {
  "Slips of typing": ["keyboard", "swap", "drop", "repeat", "backspace", "telex", "wrong_layout", "wrong_candidate"],
  "Look-alikes": ["homoglyph", "width", "normal_form", "ocr", "zalgo"],
  "Unseen characters": ["invisible", "tags", "reorder"],
  "Marks, case, spaces": ["case", "diacritics", "punctuation", "whitespace", "spacing", "typography", "emoji"],
  "Other scripts": ["romanise", "transliteration", "script_variant"],
  Words: ["word_drop", "word_order", "word_repeat", "function_word", "synonym"],
  Numbers: ["digits", "numbers", "dates"],
  Others: [],
};
const SEARCH = "search";
const SHARE = { word: 0.12, grapheme: 0.08 };
const BUDGET = 400;

const familyOf = (name) => Object.keys(FAMILIES).find((family) => FAMILIES[family].includes(name)) ?? "Others";

export function startProbes() {
  const families = Map.groupBy(served.about.perturbations, ({ name }) => familyOf(name));
  for (const family of Object.keys(FAMILIES).filter((one) => families.has(one))) {
    const names = families.get(family).map(({ name }) => spaced(name)).join(", ");
    const box = make("input", { type: "checkbox", value: family, checked: "" });
    byId("families").append(make("label", { class: "family" }, box, make("span", {}, make("b", {}, family), " ", make("span", { class: "quiet" }, names))));
  }
  const all = byId("all-families");
  const boxes = () => [...byId("families").querySelectorAll("input")];
  const tell = () => {
    const chosen = boxes().filter(({ checked }) => checked).length;
    all.checked = chosen === boxes().length;
    all.indeterminate = chosen > 0 && !all.checked;
    const kinds = all.checked ? "all kinds" : `${chosen} of ${boxes().length} kinds`;
    const strength = byId("strength").selectedOptions[0].textContent.toLowerCase();
    byId("chosen").textContent = `${kinds}, ${strength}, ${byId("draws").value} draws each${byId("search").checked ? ", and a search" : ""}`;
  };
  all.addEventListener("change", () => { for (const box of boxes()) box.checked = all.checked; tell(); });
  byId("choose").addEventListener("change", tell);
  tell();
}

/** For a text or a pair of them, one step of noise for each perturbation chosen, and one search over the letters for what noise does not meet. */
export function steps(pair) {
  const { perturbations, limits } = served.about;
  const families = [...byId("families").querySelectorAll("input:checked")].map(({ value }) => value);
  const chosen = perturbations.filter(({ name }) => families.includes(familyOf(name)));
  const times = Number(byId("strength").value);
  const draws = Math.min(Number(byId("draws").value), limits.max_probe_draws);
  const [sides, side] = pair ? ["both", "either"] : ["text", "text"];
  const noise = chosen.map(({ name, unit }) => ({ name, perturbations: [name], strength: SHARE[unit] * times, draws, field: sides }));
  const letters = chosen.filter(({ unit }) => unit === "grapheme").map(({ name }) => name);
  if (!byId("search").checked || !letters.length) return noise;
  const budget = Math.min(BUDGET, limits.max_probe_budget);
  return [...noise, { name: SEARCH, kind: "attack", attack: "greedy", perturbations: letters, strength: 0.1, budget, field: side }];
}

/** What a step does, in a sentence. */
export const explained = (step) =>
  step === SEARCH ? "The letters that matter most, looked for one by one." : (served.about.perturbations.find(({ name }) => name === step)?.description ?? "");

export const searched = (step) => step === SEARCH;
