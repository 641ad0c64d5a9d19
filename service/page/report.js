// A battery over many sentences, here and now: language after language, drawn as it comes, compared where asked.

import { events, post } from "./ask.js";
import { busy, byId, clear, fail, plural } from "./dom.js";
import { showHeat } from "./heat.js";
import { startJobs, submit } from "./jobs.js";
import { own } from "./sentences.js";
import { at, facts, nameOf, served } from "./served.js";

const FLIPS = 20;
const KEPT = "babelproof-report";
const BUTTONS = ["run", "stop", "progress"];
let demo = [];
let running = null;

export function startReport(sentences) {
  demo = sentences;
  nameDemo();
  for (const { name, steps } of served.about.batteries) {
    byId("battery").append(new Option(`${name}: ${plural(steps.length, "probe")}`, name, name === "quick", name === "quick"));
  }
  byId("source").addEventListener("change", nameDemo);
  byId("battery-form").addEventListener("submit", (event) => { event.preventDefault(); run(); });
  byId("stop").addEventListener("click", () => running?.abort());
  startJobs(async () => submit(byId("battery").value, await wanted()));
  restore();
}

/** The demo sentences whose label the model knows; of a model of pairs or of other labels there are none. */
const known = () => (facts().pairs ? [] : demo.filter(({ label }) => facts().labels.includes(label)));

export function nameDemo() {
  const [option, own] = byId("source").options;
  const sentences = known();
  option.textContent = `The demo set: ${plural(sentences.length, "sentence")} in ${plural(new Set(sentences.map(({ lang }) => lang)).size, "language")}`;
  option.disabled = !sentences.length;
  if (option.disabled && option.selected) own.selected = true;
  byId("own-field").hidden = !own.selected;
}

const wanted = () => (byId("source").value === "own" ? own() : known());

async function run() {
  const control = (running = new AbortController());
  const { signal } = control;
  const battery = served.about.batteries.find(({ name }) => name === byId("battery").value);
  const against = byId("against").value;
  const report = {
    name: `${battery.name}, ${served.model}${against && ` against ${against}`}`, model: served.model, sha256: facts().sha256,
    steps: battery.steps, rows: [], beside: against ? { name: against, rows: [] } : null,
  };
  clear(byId("report-failure"));
  busy(true, ...BUTTONS);
  try {
    const languages = [...Map.groupBy(await spoken(await wanted(), signal), ({ lang }) => lang)].sort(([a], [b]) => nameOf(a).localeCompare(nameOf(b)));
    for (const [place, [lang, sentences]] of languages.entries()) {
      byId("state").textContent = `${nameOf(lang)}, ${place + 1} of ${languages.length}`;
      const told = (share) => { byId("progress").value = (place + share) / languages.length; };
      report.rows.push(...(await ask(served.model, battery.name, sentences, signal, told)));
      if (report.beside) report.beside.rows.push(...(await ask(against, battery.name, sentences, signal, told)));
      showHeat(report);
    }
    say(`${plural(languages.length, "language")} probed.`);
    keep(report);
  } catch (error) {
    say(error.name === "AbortError" ? "Stopped." : "");
    fail(byId("report-failure"), error, run);
  } finally {
    if (running === control) busy(false, ...BUTTONS);
  }
}

const say = (words) => { byId("state").textContent = ""; byId("report-said").textContent = words; };

/** The sentences, each with its language: the one given, or else the one detected. */
async function spoken(sentences, signal) {
  const unknown = sentences.filter(({ lang }) => !lang);
  const most = served.about.limits.max_texts;
  const found = [];
  for (let from = 0; from < unknown.length; from += most) {
    const texts = unknown.slice(from, from + most).map(({ text }) => text);
    found.push(...(await post("/detect", { texts }, { signal })).answer);
  }
  const langs = new Map(unknown.map((one, place) => [one, found[place].lang]));
  return sentences.map((one) => ({ ...one, lang: one.lang || langs.get(one) }));
}

async function ask(model, battery, sentences, signal, told) {
  const { max_probe_texts: most, max_deadline_ms: deadline } = served.about.limits;
  if (sentences.length > most) throw new Error(`${sentences.length} sentences in one language are more than the ${most} that are probed at once. Run them as a job.`);
  const body = {
    texts: sentences.map(({ text }) => text),
    labels: sentences.map(({ label }) => (facts(model).labels.includes(label) ? label : null)),
    languages: sentences.map(({ lang }) => lang),
    ...(facts().pairs ? { pairs: sentences.map(({ pair }) => pair) } : {}),
    battery, examples: FLIPS, deadline_ms: deadline,
  };
  for await (const { event, data } of events(at("/probe", model), { body, signal })) {
    if (event === "progress") told(data.done / data.wanted);
    if (event === "result") return data.rows;
  }
  throw new Error("The answer ended too early. Try again.");
}

function keep(report) {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(report));
  } catch {
    sessionStorage.removeItem(KEPT);
  }
}

function restore() {
  const report = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
  if (report?.sha256 === facts().sha256) showHeat(report);
}
