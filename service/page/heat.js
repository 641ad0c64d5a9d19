// The heat map of a report: languages down, probes across; sorted, filtered, walked by keyboard, opened by cell.

import { byId, interval, make, percent, points, redraw, save, spaced } from "./dom.js";
import { drill } from "./drill.js";
import { nameOf, scriptsOf } from "./served.js";

/** Below this many trials a rate says little; it is set in italics. */
const FEW = 10;
/** The rate, or the difference, at which a cell has its full colour. */
const FULL = 0.5;
const MOVES = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0], Home: [0, -Infinity], End: [0, Infinity], PageUp: [-Infinity, 0], PageDown: [Infinity, 0] };
/** The cell that Tab leads to. */
const STOP = 'td[tabindex="0"]';
let report = null;
let turns = 0;
let reached = 0;

export function startHeat() {
  const heat = byId("heat");
  const cellOf = (event) => event.target.closest("td.cell");
  const tell = (event) => { const td = cellOf(event); if (td) byId("detail").textContent = td.title; };
  const open = (td) => drill(report, td.dataset.lang, td.dataset.step, td.title);
  heat.addEventListener("focusin", tell);
  heat.addEventListener("pointerover", tell);
  heat.addEventListener("click", (event) => { const td = cellOf(event); if (td) { enter(td); open(td); } });
  heat.addEventListener("keydown", (event) => {
    const td = cellOf(event);
    if (!td) return;
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); open(td); } else walk(event, td);
  });
  byId("drill").addEventListener("close", focusHeat);
  byId("download").addEventListener("click", () => save("babelproof-report.json", new Blob([JSON.stringify(report, null, 1)], { type: "application/json" })));
  byId("sort").addEventListener("change", draw);
  byId("script").addEventListener("change", draw);
}

export const focusHeat = () => byId("heat").querySelector(STOP)?.focus({ preventScroll: true });

/** Takes a turn at the heat map: a way to show reports unless those of a later turn are there; says whether it did. */
export function inTurn() {
  const turn = (turns += 1);
  return (shown) => turn >= reached && showHeat(shown, turn);
}

/** Shows a report: {name, model, steps, rows, beside: {name, rows} or null}; the same one again after it has grown. */
function showHeat(shown, turn) {
  const fresh = shown !== report;
  [report, reached] = [shown, turn];
  byId("report").hidden = false;
  byId("report-name").textContent = report.name;
  byId("download").hidden = !!report.job;
  if (fresh) options("sort", [["name", "Language, A to Z"], ["worst", "Worst first"], ...report.steps.map((step) => [step, `Worst under ${spaced(step)}`])]);
  const scripts = [...new Set(report.rows.flatMap(({ lang }) => scriptsOf(lang)))].sort();
  options("script", [["", "All scripts"], ...scripts.map((script) => [script, script])]);
  byId("legend").hidden = !!report.beside;
  byId("legend-beside").hidden = !report.beside;
  draw();
  return true;
}

function options(id, all) {
  const kept = byId(id).value;
  byId(id).replaceChildren(...all.map(([value, words]) => make("option", { value }, words)));
  if (all.some(([value]) => value === kept)) byId(id).value = kept;
}

/** First minus second, with the interval that their two intervals make (Newcombe 1998, method 10). */
function difference(first, second) {
  if (!first?.measured || !second?.measured) return null;
  const value = first.rate - second.rate;
  return {
    value,
    low: value - Math.hypot(first.rate - first.low, second.high - second.rate),
    high: value + Math.hypot(first.high - first.rate, second.rate - second.low),
  };
}

export const rowOf = (rows, lang, step) => rows?.find((row) => row.lang === lang && row.step === step);

function sorted() {
  const [by, script] = [byId("sort").value, byId("script").value];
  const all = [...new Set(report.rows.map(({ lang }) => lang))].filter((lang) => !script || scriptsOf(lang).includes(script));
  const rate = (lang, step) => {
    const row = rowOf(report.rows, lang, step);
    return (report.beside ? difference(row, rowOf(report.beside.rows, lang, step))?.value : row?.rate) ?? -1;
  };
  const badness = (lang) => (by === "worst" ? Math.max(...report.steps.map((step) => rate(lang, step))) : rate(lang, by));
  return all.sort((a, b) => (by === "name" ? 0 : badness(b) - badness(a)) || nameOf(a).localeCompare(nameOf(b)));
}

function draw() {
  const stop = byId("heat").querySelector(STOP)?.dataset;
  const column = (words) => make("th", { scope: "col", class: "step" }, make("span", {}, words));
  const head = make("tr", {}, make("th", { scope: "col" }, "Language"), column("accuracy"), ...report.steps.map((step) => column(spaced(step))));
  const body = make("tbody", {}, ...sorted().map(line));
  const what = report.beside ? `Difference in flips to ${report.beside.name}` : "Share of labels that flip";
  const cells = [...body.querySelectorAll("td.cell")];
  const same = cells.find(({ dataset: { lang, step } }) => lang === stop?.lang && step === stop?.step);
  (same ?? cells[0])?.setAttribute("tabindex", "0");
  redraw(byId("heat"), STOP, make("caption", { class: "unheard" }, `${what}, by language and probe: ${report.name}`), make("thead", {}, head), body);
}

function line(lang) {
  const clean = report.rows.find((row) => row.lang === lang && row.clean)?.clean;
  const title = clean ? `${nameOf(lang)}, unchanged: ${interval(clean.value, clean.low, clean.high)} of ${clean.n} read rightly` : null;
  return make(
    "tr", {}, make("th", { scope: "row" }, nameOf(lang)), make("td", { class: "accuracy", title }, clean ? percent(clean.value) : "–"),
    ...report.steps.map((step) => (report.beside ? besideCell(lang, step) : cell(lang, step))),
  );
}

function square(lang, step, said, classes, words, share = 0) {
  const td = make("td", { tabindex: "-1", title: said, "aria-label": said, "data-lang": lang, "data-step": step, class: `cell ${classes}` }, words);
  td.style.setProperty("--heat", Math.min(1, share / FULL));
  return td;
}

function cell(lang, step) {
  const row = rowOf(report.rows, lang, step);
  const said = `${nameOf(lang)}, ${spaced(step)}: ${told(row)}`;
  if (!row?.measured) return square(lang, step, said, "unmeasured", "–");
  return square(lang, step, said, row.n < FEW ? "few" : "", String(Math.round(row.rate * 100)), row.rate);
}

/** The numbers of a cell in words. */
function told(row) {
  if (!row) return "not meant for this language";
  if (!row.measured) return `not measured, ${why(row)}`;
  const touched = row.coverage < 1 ? `; it could touch ${percent(row.coverage)} of the sentences` : "";
  return `${row.flips} of ${row.n} flip, ${interval(row.rate, row.low, row.high)}${touched}`;
}

function why(row) {
  if (row.total === 0) return "time ran out";
  if (row.covered === 0) return "the probe cannot touch these sentences";
  if (row.sparse) return `the probe can touch ${percent(row.coverage)} of these sentences, too few`;
  return row.out_of_budget ? "time ran out" : "every sentence was read wrongly before";
}

function besideCell(lang, step) {
  const [row, other] = [rowOf(report.rows, lang, step), rowOf(report.beside.rows, lang, step)];
  const found = difference(row, other);
  const where = `${nameOf(lang)}, ${spaced(step)}: `;
  if (!found) return square(lang, step, `${where}not measured for both`, "unmeasured", "–");
  const sure = found.low > 0 || found.high < 0;
  const said = `${where}${percent(row.rate)} against ${percent(other.rate)}, ${points(found.value)} points (${points(found.low)} to ${points(found.high)})${sure ? "" : ", which may be chance"}`;
  return square(lang, step, said, `${found.value < 0 ? "better" : ""} ${sure ? "sure" : "few"}`, points(found.value), Math.abs(found.value));
}

/** Arrow keys, Home, End, PageUp and PageDown walk over the cells, as in a spreadsheet. */
function walk(event, td) {
  if (!(event.key in MOVES) || event.altKey) return;
  event.preventDefault();
  const [down, right] = MOVES[event.key];
  const grid = [...byId("heat").tBodies[0].rows].map((row) => [...row.querySelectorAll("td.cell")]);
  const place = grid.findIndex((cells) => cells.includes(td));
  const near = (list, index) => list[Math.max(0, Math.min(list.length - 1, index))];
  enter(near(near(grid, place + down), grid[place].indexOf(td) + right));
}

function enter(td) {
  byId("heat").querySelector(STOP).tabIndex = -1;
  td.tabIndex = 0;
  td.focus();
}
