// What is behind a cell of the heat map: its numbers, and the texts that flipped with their edits marked.

import { button, byId, interval, make, percent, plural, spaced } from "./dom.js";
import { shown } from "./flips.js";
import { rowOf } from "./heat.js";
import { nameOf } from "./served.js";

/** Texts shown at once. */
const MANY = 12;

export function startDrill() {
  byId("drill").addEventListener("click", ({ target }) => { if ([byId("drill"), byId("close")].includes(target)) byId("drill").close(); });
}

export function drill(report, lang, step, said) {
  const row = rowOf(report.rows, lang, step);
  const sides = [[report.beside ? report.model : null, row]];
  if (report.beside) sides.push([report.beside.name, rowOf(report.beside.rows, lang, step)]);
  byId("drill-title").textContent = `${nameOf(lang)}, ${spaced(step)}`;
  byId("drill-body").replaceChildren(
    ...(report.beside ? [make("p", { class: "found" }, said)] : []),
    ...sides.flatMap(([name, one]) => [...(name ? [make("h3", {}, name)] : []), ...side(one, said)]),
  );
  byId("drill").showModal();
  byId("drill-body").scrollTop = 0;
}

function side(row, said) {
  if (!row?.measured) return [make("p", { class: "found" }, said)];
  const list = make("div", {});
  const all = row.examples ?? [];
  const more = button("Show more", () => grow(), { class: "small" });
  const grow = () => {
    list.append(...all.slice(list.children.length, list.children.length + MANY).map((flip) => shown({ lang: row.lang, step: row.step, ...flip })));
    more.hidden = list.children.length >= all.length;
  };
  grow();
  const left = row.flips - all.length;
  const words = !row.flips ? "No label flipped." : left > 0 ? `${plural(left, "more flip")} not listed; a job has them all.` : "";
  return [facts(row), list, more, make("p", { class: "quiet" }, words)];
}

function facts(row) {
  const share = (one) => `${interval(one.value, one.low, one.high)} of ${one.n}`;
  const all = [
    ["Flips", `${row.flips} of ${plural(row.n, "try", "tries")}: ${interval(row.rate, row.low, row.high)}`],
    ["Could touch", `${row.covered} of ${plural(row.total, "try", "tries")} (${percent(row.coverage)})`],
    ["Dose", row.dose === null || row.dose === undefined ? null : `${(row.dose * 100).toFixed(1)} % of the letters changed on average`],
    ["Read rightly before", row.clean && share(row.clean)],
    ["Read rightly after", row.robust && share(row.robust)],
    ["Out of time", row.out_of_budget ? plural(row.out_of_budget, "try", "tries") : null],
  ];
  return make("dl", {}, ...all.filter(([, value]) => value).map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
}
