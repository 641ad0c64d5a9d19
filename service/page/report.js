// A battery over many sentences, here and now: language after language, drawn as it comes, compared where asked.

import { json, result } from "./ask.js";
import { button, byId, clear, fail, plural, runner } from "./dom.js";
import { inTurn } from "./heat.js";
import { startJobs } from "./jobs.js";
import { own } from "./sentences.js";
import { at, facts, nameOf, served } from "./served.js";

const FLIPS = 20;
const KEPT = "babelproof-report";
const battery = runner("run", "stop", "progress");
let demo = [];

export function startReport(sentences) {
  demo = sentences;
  nameDemo();
  for (const { name, steps } of served.about.batteries) {
    byId("battery").append(new Option(`${name}: ${plural(steps.length, "probe")}`, name, name === "quick", name === "quick"));
  }
  byId("source").addEventListener("change", nameDemo);
  byId("battery-form").addEventListener("submit", (event) => { event.preventDefault(); probe(); });
  startJobs(wanted);
  const kept = JSON.parse(sessionStorage.getItem(KEPT));
  if (kept?.sha256 === facts().sha256) inTurn()(kept);
}

/** The demo sentences whose label the model knows; of a model of pairs or of other labels there are none. */
const known = (model) => (facts(model).pairs ? [] : demo.filter(({ label }) => facts(model).labels.includes(label)));

export function nameDemo() {
  const [option, own] = byId("source").options;
  const sentences = known();
  option.textContent = `The demo set: ${plural(sentences.length, "sentence")} in ${plural(new Set(sentences.map(({ lang }) => lang)).size, "language")}`;
  option.disabled = !sentences.length;
  if (option.disabled && option.selected) own.selected = true;
  byId("own-field").hidden = !own.selected;
}

const wanted = (model) => (byId("source").value === "own" ? own(model) : known(model));

async function probe() {
  const [{ model }, show, against] = [served, inTurn(), byId("against").value];
  const { name, steps } = served.about.batteries.find((one) => one.name === byId("battery").value);
  const report = {
    name: `${name}, ${model}${against && ` against ${against}`}`, model, sha256: facts(model).sha256,
    steps, rows: [], beside: against ? { name: against, rows: [] } : null,
  };
  clear(byId("report-failure"));
  await battery.run(async (signal) => {
    const languages = [...Map.groupBy(await spoken(await wanted(model), signal), ({ lang }) => lang)].sort(([a], [b]) => nameOf(a).localeCompare(nameOf(b)));
    for (const [place, [lang, sentences]] of languages.entries()) {
      byId("state").textContent = `${nameOf(lang)}, ${place + 1} of ${languages.length}`;
      const progress = ({ done, wanted: all }) => { byId("progress").value = (place + done / all) / languages.length; };
      report.rows.push(...(await ask(model, name, sentences, signal, progress)));
      if (report.beside) report.beside.rows.push(...(await ask(against, name, sentences, signal, progress)));
      show(report);
    }
    say(`${plural(languages.length, "language")} probed.`);
    keep(report);
    if (!show(report)) byId("report-said").append(" ", button("Show it", () => inTurn()(report), { class: "small" }));
  }, (error) => {
    say(error.name === "AbortError" ? "Stopped." : "");
    fail(byId("report-failure"), error, probe);
  });
}

const say = (words) => { byId("state").textContent = ""; byId("report-said").textContent = words; };

/** The sentences, each with its language: the one given, or else the one detected. */
async function spoken(sentences, signal) {
  const unknown = sentences.filter(({ lang }) => !lang);
  const most = served.about.limits.max_texts;
  const found = [];
  for (let from = 0; from < unknown.length; from += most) {
    const texts = unknown.slice(from, from + most).map(({ text }) => text);
    found.push(...(await json("/detect", { body: { texts }, signal })));
  }
  const langs = new Map(unknown.map((one, place) => [one, found[place].lang]));
  return sentences.map((one) => ({ ...one, lang: one.lang || langs.get(one) }));
}

async function ask(model, battery, sentences, signal, progress) {
  const { max_probe_texts: most, max_deadline_ms: deadline } = served.about.limits;
  if (sentences.length > most) throw new Error(`${sentences.length} sentences in one language are more than the ${most} that are probed at once. Run them as a job.`);
  const body = {
    texts: sentences.map(({ text }) => text),
    labels: sentences.map(({ label }) => (facts(model).labels.includes(label) ? label : null)),
    languages: sentences.map(({ lang }) => lang),
    ...(facts(model).pairs ? { pairs: sentences.map(({ pair }) => pair) } : {}),
    battery, examples: FLIPS, deadline_ms: deadline,
  };
  return (await result(at("/probe", model), { body, signal }, { progress })).rows;
}

function keep(report) {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(report));
  } catch {
    sessionStorage.removeItem(KEPT);
  }
}
