// The report of the demo set: every language under every probe, asked of the live service, drawn as a heat map.

import { byId, interval, make, percent, plural, post } from "./dom.js";
import { changed } from "./variants.js";

const BATTERY = "quick";
/** Below this many trials a rate says little; it is set in italics. */
const FEW = 10;

export function startReport(about, sentences) {
  const labelled = sentences.filter(({ label }) => about.model.labels.includes(label));
  const languages = [...Map.groupBy(labelled, ({ lang }) => lang)].sort(([, a], [, b]) => a[0].name.localeCompare(b[0].name));
  const battery = about.batteries.find(({ name }) => name === BATTERY);
  if (!languages.length || !battery) return;
  const report = { battery, languages, rows: new Map(), key: `${about.model.sha256}/${battery.name}/${battery.version}/${labelled.length}` };
  byId("about-report").textContent =
    `${plural(labelled.length, "sentence")} in ${plural(languages.length, "language")}, each changed by every probe of the battery “${battery.name}”. A cell is the share of sentences read rightly before the change and wrongly after it.`;
  byId("demo-report").hidden = false;
  byId("run").addEventListener("click", () => run(report));
  byId("heat").addEventListener("keydown", walk);
  byId("heat").addEventListener("focusin", (event) => detail(report, event.target));
  byId("heat").addEventListener("pointerover", (event) => detail(report, event.target));
  const kept = sessionStorage.getItem(report.key);
  if (kept) {
    report.rows = new Map(JSON.parse(kept));
    draw(report);
    done(report);
  }
}

async function run(report) {
  const [button, progress] = [byId("run"), byId("progress")];
  button.disabled = true;
  progress.hidden = false;
  report.rows.clear();
  try {
    for (const [place, [lang, sentences]] of report.languages.entries()) {
      progress.value = place / report.languages.length;
      byId("state").textContent = `${sentences[0].name}, ${place + 1} of ${report.languages.length}`;
      report.rows.set(lang, await ask(report, sentences));
      draw(report);
    }
    sessionStorage.setItem(report.key, JSON.stringify([...report.rows]));
    done(report);
  } catch (error) {
    byId("state").textContent = error.message;
  }
  progress.hidden = true;
  button.disabled = false;
}

function done(report) {
  byId("state").textContent = `${plural(report.rows.size, "language")} probed`;
  byId("run").textContent = "Probe again";
}

async function ask(report, sentences) {
  const body = {
    texts: sentences.map(({ text }) => text),
    labels: sentences.map(({ label }) => label),
    languages: sentences.map(({ lang }) => lang),
    battery: report.battery.name,
    examples: 2,
    deadline_ms: 60000,
  };
  return (await post("/probe", body)).answer.rows;
}

function draw(report) {
  byId("report").hidden = false;
  const head = make("tr", {}, make("th", { scope: "col" }, "Language"), make("th", { scope: "col", class: "step" }, make("span", {}, "accuracy")));
  for (const step of report.battery.steps) head.append(make("th", { scope: "col", class: "step" }, make("span", {}, step.replaceAll("_", " "))));
  const body = make("tbody");
  for (const [lang, sentences] of report.languages) {
    const rows = report.rows.get(lang);
    if (rows) body.append(line(report, lang, sentences[0].name, rows));
  }
  body.querySelector("td.cell")?.setAttribute("tabindex", "0");
  byId("heat").replaceChildren(make("caption", { class: "unheard" }, "Share of labels that flip, by language and probe"), make("thead", {}, head), body);
}

function line(report, lang, name, rows) {
  const clean = rows.find(({ clean: share }) => share)?.clean;
  const accuracy = clean ? percent(clean.value) : "–";
  const title = clean ? `${name}, unchanged: ${interval(clean.value, clean.low, clean.high)} of ${clean.n} read rightly` : null;
  const row = make("tr", {}, make("th", { scope: "row" }, name), make("td", { class: "accuracy", title }, accuracy));
  for (const step of report.battery.steps) {
    const found = rows.find((one) => one.step === step);
    row.append(cell(lang, name, step, found));
  }
  return row;
}

function cell(lang, name, step, row) {
  const said = told(name, step, row);
  const attributes = { tabindex: "-1", title: said, "aria-label": said, "data-lang": lang, "data-step": step };
  if (!row?.measured) return make("td", { ...attributes, class: "cell unmeasured" }, "–");
  const td = make("td", { ...attributes, class: `cell ${heatOf(row.rate)} ${row.n < FEW ? "few" : ""}` }, String(Math.round(row.rate * 100)));
  td.style.setProperty("--heat", row.rate);
  return td;
}

/** Where dark letters must give way to light ones, or the other way round, to stay readable on the heat. */
const heatOf = (rate) => (rate > 0.85 ? "hot" : rate > 0.65 ? "warm" : "");

function told(name, step, row) {
  const where = `${name}, ${step.replaceAll("_", " ")}: `;
  if (!row) return `${where}not meant for this language`;
  if (!row.measured) return `${where}not measured, the probe cannot touch these sentences`;
  const touched = row.coverage < 1 ? `; it could touch ${percent(row.coverage)} of the sentences` : "";
  return `${where}${row.flips} of ${row.n} flip, ${interval(row.rate, row.low, row.high)}${touched}`;
}

function detail(report, target) {
  const td = target.closest("td.cell");
  if (!td) return;
  const { lang, step } = td.dataset;
  const row = report.rows.get(lang)?.find((one) => one.step === step);
  const flips = (row?.examples ?? []).map((flip) =>
    make("div", { class: "variant" }, changed(flip.text, flip.edits, lang), make("p", { class: "turn" }, flip.label, " → ", make("strong", {}, flip.changed_label))),
  );
  byId("detail").replaceChildren(make("p", {}, td.getAttribute("aria-label")), ...flips);
}

/** Arrow keys, Home and End walk over the cells, as in a spreadsheet. */
function walk(event) {
  const td = event.target.closest("td.cell");
  const moves = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0], Home: [0, -Infinity], End: [0, Infinity] };
  if (!td || !(event.key in moves)) return;
  event.preventDefault();
  const [down, right] = moves[event.key];
  const grid = [...byId("heat").tBodies[0].rows].map((row) => [...row.querySelectorAll("td.cell")]);
  const place = grid.findIndex((cells) => cells.includes(td));
  const within = (index, length) => Math.max(0, Math.min(length - 1, index));
  const cells = grid[within(place + down, grid.length)];
  const next = cells[within(grid[place].indexOf(td) + right, cells.length)];
  td.setAttribute("tabindex", "-1");
  next.setAttribute("tabindex", "0");
  next.focus();
}
