// Reading a sentence: its language, what the model says of it, and how steady that is.

import { send } from "./ask.js";
import { changed } from "./changed.js";
import { byId, clear, fail, interval, make, percent, points, spaced } from "./dom.js";
import { at, facts, nameOf, served } from "./served.js";

/** Variants behind the card of a sentence. */
const VARIANTS = 16;
let reading = null;

/** What was read last: {text, pair, lang, label, model}. */
export let current = null;

/** Done when nothing is being read. */
export let settled = Promise.resolve();

export function startReading() {
  takePairs();
  for (const { code, name } of [...served.languages.values()].sort((a, b) => a.name.localeCompare(b.name))) {
    byId("lang").append(make("option", { value: code }, name));
  }
  byId("form").addEventListener("submit", (event) => { event.preventDefault(); read(); });
  byId("form").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) byId("form").requestSubmit();
  });
  for (const id of ["lang", "other"]) byId(id).addEventListener("change", again);
  byId("demo").addEventListener("change", ({ target }) => {
    if (!target.value) return;
    byId("text").value = target.value;
    byId("lang").value = "";
    byId("form").requestSubmit();
  });
}

/** Asks anew what was asked; the form may not let it, but what was under way is over. */
export function again() {
  reading?.abort();
  if (reading) byId("form").requestSubmit();
}

export function takePairs() {
  byId("pair-field").hidden = !facts().pairs;
  byId("pair").required = facts().pairs;
}

export function fillDemo(sentences) {
  const groups = Map.groupBy(sentences, ({ name }) => name);
  for (const [name, ofLanguage] of [...groups].sort(([a], [b]) => a.localeCompare(b))) {
    const group = make("optgroup", { label: name });
    for (const { text, lang } of ofLanguage) {
      const shown = Array.from(text);
      group.append(make("option", { value: text, lang }, shown.length > 60 ? `${shown.slice(0, 57).join("")}…` : text));
    }
    byId("demo").append(group);
  }
  byId("pick").hidden = !groups.size;
}

export const read = () => (settled = ask());

async function ask() {
  const { model } = served;
  const text = byId("text").value.trim();
  const pair = facts(model).pairs ? byId("pair").value.trim() : null;
  reading?.abort();
  clear(byId("failure"));
  if (!text || pair === "") return;
  const { signal } = (reading = new AbortController());
  const [lang, other] = [byId("lang").value, byId("other").value];
  const inputs = pair === null ? text : { text, text_pair: pair };
  const said = (name) => send(`${at("/predict", name)}?robustness=${VARIANTS}${lang && `&lang=${lang}`}`, { body: { inputs }, signal });
  try {
    const answers = await Promise.all([model, other].filter(Boolean).map(said));
    const [answer, beside] = await Promise.all(answers.map((one) => one.json()));
    const [steady] = answer.robustness;
    current = { text, pair, lang: steady.language.lang, label: answer.predictions[0].label, model };
    showLanguage(steady.language);
    byId("cut").hidden = answers[0].headers.get("X-Truncated") === "0";
    show(answer.predictions, beside && { model: other, scores: beside.predictions });
    showCard(steady, beside && { model: other, steady: beside.robustness[0] });
    document.dispatchEvent(new CustomEvent("read"));
  } catch (error) {
    fail(byId("failure"), error, read);
  }
}

function showLanguage({ lang, confidence }) {
  if (confidence !== null) byId("lang").options[0].textContent = `${nameOf(lang)}, detected (${percent(confidence)} sure)`;
  byId("spoken").hidden = false;
}

function show(scores, beside) {
  byId("label").textContent = scores[0].label;
  byId("bars").replaceChildren(...scores.map(bar));
  byId("beside").hidden = !beside;
  if (beside) {
    const same = beside.scores[0].label === scores[0].label ? "The same label" : "Another label";
    byId("beside-label").textContent = beside.scores[0].label;
    byId("beside-model").textContent = `${same} by ${beside.model}:`;
    byId("beside-bars").replaceChildren(...beside.scores.map(bar));
  }
  byId("verdict").hidden = false;
}

function bar({ label, score }) {
  const share = make("span", { class: "bar", "aria-hidden": "true" });
  share.style.setProperty("--share", score);
  return make("li", {}, make("span", { class: "name" }, make("bdi", {}, label)), share, make("span", { class: "number" }, percent(score)));
}

/** How steady the answer is under small slips, drawn with the answer itself. */
function showCard(steady, beside) {
  const { variants: n, flips, worst, weakest, margin, least_margin: least } = steady;
  byId("card").hidden = !n;
  if (!n) return;
  byId("card").replaceChildren(
    make("h3", {}, flips === 0 ? "Steady" : flips * 2 < n ? "Not quite steady" : "Shaky", make("span", { class: "quiet" }, counted(steady))),
    make("p", { class: "quiet" }, `Its lead is ${points(margin)} points, after the worst slip ${points(least)}. ${weakest.flips ? `Weakest under ${spaced(weakest.name)}: ${weakest.flips} of ${weakest.n}.` : ""}`),
    ...changed(current.text, worst.edits, current.lang, true),
    ...(current.pair ? changed(current.pair, worst.pair_edits, current.lang, true) : []),
    ...(beside?.steady.variants ? [make("p", {}, `${beside.model}: ${counted(beside.steady)}`)] : []),
  );
}

const counted = ({ flips, variants: n, flip_rate: rate, low, high }) => `${flips} of ${n} small slips change the label: ${interval(rate, low, high)}`;
