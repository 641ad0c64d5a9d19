// The page: reads a sentence, then asks which small changes flip its label.

import { byId, get, make, percent, plural, post } from "./dom.js";
import { startReport } from "./report.js";
import { changed } from "./variants.js";

const DRAWS = 12;
let about;
let current = null;

function fail(error) {
  byId("failure").textContent = error.message;
  byId("failure").hidden = false;
}

function fillDemo(sentences) {
  const groups = Map.groupBy(sentences, (sentence) => sentence.name);
  for (const [name, ofLanguage] of [...groups].sort(([a], [b]) => a.localeCompare(b))) {
    const group = make("optgroup", { label: name });
    for (const { text, lang } of ofLanguage) {
      const shown = Array.from(text);
      const title = shown.length > 60 ? `${shown.slice(0, 57).join("")}…` : text;
      group.append(make("option", { value: text, lang }, title));
    }
    byId("demo").append(group);
  }
}

async function read() {
  const text = byId("text").value.trim();
  byId("failure").hidden = true;
  if (!text) return;
  try {
    const [{ answer, headers }, { answer: spoken }] = await Promise.all([
      post("/predict", { inputs: text }),
      post("/detect", { texts: [text] }),
    ]);
    current = { text, lang: spoken[0].lang, label: answer[0].label };
    showVerdict(answer, headers.get("X-Truncated") !== "0", spoken[0]);
  } catch (error) {
    fail(error);
  }
}

function showVerdict(scores, cut, spoken) {
  byId("spoken").textContent = `Reads like ${spoken.name} (${percent(spoken.confidence)} sure)`;
  byId("label").textContent = scores[0].label;
  byId("cut").hidden = !cut;
  byId("bars").replaceChildren(
    ...scores.map(({ label, score }) => {
      const bar = make("span", { class: "bar" });
      bar.style.setProperty("--share", score);
      return make("li", {}, make("span", { class: "name" }, label), bar, make("span", { class: "number" }, percent(score)));
    }),
  );
  byId("verdict").hidden = false;
  byId("flips").hidden = false;
  byId("found").textContent = "";
  byId("variants").replaceChildren();
  byId("held").hidden = true;
}

/** One step of noise for each perturbation, and one search over the letters for what noise does not meet. */
function steps() {
  const noise = about.perturbations.map(({ name, unit }) => ({
    name, perturbations: [name], strength: unit === "word" ? 0.12 : 0.08, draws: DRAWS,
  }));
  const letters = about.perturbations.filter(({ unit }) => unit === "grapheme").map(({ name }) => name);
  const search = { name: "search", kind: "attack", attack: "greedy", perturbations: letters, strength: 0.1, budget: 400 };
  return [...noise, search];
}

async function probe() {
  const button = byId("probe");
  const asked = current;
  button.disabled = true;
  byId("probing").textContent = "Changing letters and words…";
  byId("failure").hidden = true;
  try {
    const body = { texts: [asked.text], languages: [asked.lang], steps: steps(), examples: 1, deadline_ms: 15000 };
    const { answer } = await post("/probe", body);
    if (current === asked) showFlips(answer, asked);
  } catch (error) {
    fail(error);
  }
  byId("probing").textContent = "";
  button.disabled = false;
}

const explained = (step) =>
  step === "search" ? "The letters that matter most, looked for one by one." : about.perturbations.find(({ name }) => name === step).description;

function showFlips({ rows, truncated }, { label, lang }) {
  const flipped = rows.filter(({ flips }) => flips > 0).sort((a, b) => size(a) - size(b) || b.rate - a.rate);
  const tried = rows.reduce((sum, { n }) => sum + n, 0);
  const flips = rows.reduce((sum, { flips: one }) => sum + one, 0);
  const late = truncated ? " Time ran out before every probe was done." : "";
  byId("found").textContent = flips
    ? `${flips} of ${plural(tried, "changed sentence")} ${flips === 1 ? "is" : "are"} no longer ${label}.${late}`
    : `Nothing flips it: after each of ${plural(tried, "change")} it is still ${label}. Other changes may do what these did not.${late}`;
  byId("variants").replaceChildren(...flipped.map((row) => variant(row, lang)));
  const rest = rows.filter(({ flips: one }) => !one);
  byId("held").hidden = rest.length === 0;
  byId("held").querySelector("summary").textContent = `${plural(rest.length, "probe")} without a flip`;
  byId("held").querySelector("ul").replaceChildren(...rest.map(held));
}

/** How many edits the smallest flip of a row takes. */
const size = (row) => row.examples[0].edits.length;

function variant(row, lang) {
  const rate = row.step === "search" ? `${plural(size(row), "change")}, found after ${plural(row.queries, "question")}` : `${row.flips} of ${row.n} flip`;
  const head = make("h3", {}, row.step.replaceAll("_", " "), make("span", { class: "quiet" }, rate));
  return make(
    "li", {}, head, make("p", { class: "quiet" }, explained(row.step)),
    ...row.examples.map((flip) =>
      make("div", { class: "variant" }, changed(flip.text, flip.edits, lang), make("p", { class: "turn" }, flip.label, " → ", make("strong", {}, flip.changed_label))),
    ),
  );
}

function held(row) {
  const said = row.measured
    ? `the label held in ${row.n === 1 ? "the one try" : `all ${row.n} tries`}; the true rate may be up to ${percent(row.high)}`
    : row.out_of_budget ? "not measured: time ran out" : "not measured: it cannot touch this sentence";
  return make("li", {}, make("b", {}, row.step.replaceAll("_", " ")), ` ${said}`);
}

async function start() {
  byId("form").addEventListener("submit", (event) => { event.preventDefault(); read(); });
  byId("text").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) read();
  });
  byId("demo").addEventListener("change", (event) => {
    if (event.target.value) { byId("text").value = event.target.value; read(); }
  });
  byId("probe").addEventListener("click", probe);
  try {
    const [facts, sentences] = await Promise.all([get("/about"), get("/demo.json")]);
    about = facts;
    const { name, labels, languages, sha256 } = facts.model;
    byId("model").textContent = `Model ${name}: ${labels.length} labels, made for ${plural(languages.length, "language")}, identity ${sha256.slice(0, 12)}`;
    fillDemo(sentences);
    if (sentences.length) startReport(facts, sentences);
  } catch {
    fail(new Error("The service does not answer just now. Reload the page in a moment."));
  }
}

start();
