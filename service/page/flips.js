// The flips of one sentence: asked for, shown as they arrive, the smallest on top.

import { result } from "./ask.js";
import { changed } from "./changed.js";
import { byId, clear, copier, fail, make, percent, plural, redraw, runner, spaced } from "./dom.js";
import { explained, searched, steps } from "./probes.js";
import { current, settled } from "./read.js";
import { at, served } from "./served.js";

const DEADLINE_MS = 60_000;
/** Steps of one request: few, so that flips arrive while others are still looked for. */
const AT_ONCE = 5;
const { run, halt } = runner("probe", "cancel", "probing-progress");

export function startFlips() {
  byId("probe").addEventListener("click", probe);
  document.addEventListener("read", () => {
    halt();
    byId("flips").hidden = false;
    wipe("");
  });
}

function wipe(said) {
  byId("found").textContent = said;
  clear(byId("smallest"));
  byId("variants").replaceChildren();
  byId("held").hidden = true;
}

async function probe() {
  await settled;
  const asked = current;
  const wanted = steps(asked.pair);
  clear(byId("probe-failure"));
  if (!wanted.length) return fail(byId("probe-failure"), new Error("Choose at least one kind of change."));
  const found = { rows: [], flips: [], truncated: false };
  wipe("Changing letters and words…");
  const most = Math.min(AT_ONCE, served.about.limits.max_probe_steps);
  await run(async (signal) => {
    for (let from = 0; from < wanted.length; from += most) {
      const some = wanted.slice(from, from + most);
      const progress = ({ done, wanted: all }) => { byId("probing-progress").value = (from + (done / all) * some.length) / wanted.length; };
      const { rows, truncated } = await ask(asked, some, signal, { progress, flip: (flip) => arrive(flip, found) });
      found.rows.push(...rows);
      found.truncated ||= truncated;
    }
    showAll(found, asked);
  }, (error) => {
    const until = `Stopped. Until then ${plural(found.flips.length, "changed sentence")} flipped.`;
    byId("found").textContent = error.name === "AbortError" && current === asked ? until : "";
    fail(byId("probe-failure"), error, probe);
  });
}

function ask({ text, pair, lang, model }, wanted, signal, heard) {
  const body = {
    texts: [text], languages: [lang], steps: wanted, examples: 2,
    deadline_ms: Math.min(DEADLINE_MS, served.about.limits.max_deadline_ms), ...(pair ? { pairs: [pair] } : {}),
  };
  return result(at("/probe", model), { body, signal }, heard);
}

/** A flip while the probes still run: counted, and shown if it is the first of its probe. */
function arrive(flip, found) {
  const first = !found.flips.some(({ step }) => step === flip.step);
  if (found.flips.every((one) => size(flip) < size(one))) showSmallest(flip);
  found.flips.push(flip);
  if (first) byId("variants").append(variant({ step: flip.step, rate: 0, examples: [flip] }, "flips"));
}

function showAll({ rows, truncated }, { label }) {
  const flipped = rows.filter(({ examples }) => examples.length).sort((a, b) => b.rate - a.rate || size(a.examples[0]) - size(b.examples[0]));
  const tried = rows.reduce((sum, { n }) => sum + n, 0);
  const flips = rows.reduce((sum, { flips: one }) => sum + one, 0);
  const late = truncated ? " Time ran out before every probe was done." : "";
  byId("found").textContent = flips
    ? `${flips} of ${plural(tried, "changed sentence")} ${flips === 1 ? "is" : "are"} no longer ${label}.${late}`
    : `Nothing flips it: after each of ${plural(tried, "change")} it is still ${label}. Other changes may do what these did not.${late}`;
  redraw(byId("variants"), "summary", ...flipped.map((row) => variant(row, rateOf(row))));
  const [smallest] = flipped.flatMap(({ step, examples }) => examples.map((flip) => ({ step, ...flip }))).sort((a, b) => size(a) - size(b));
  if (smallest) showSmallest(smallest);
  const rest = rows.filter(({ flips: one }) => !one);
  byId("held").hidden = rest.length === 0;
  byId("held").querySelector("summary").textContent = `${plural(rest.length, "probe")} without a flip`;
  byId("held").querySelector("ul").replaceChildren(...rest.map(held));
}

/** How many edits a flip takes; of as many, the fewer characters. */
const size = ({ edits, pair_edits: others }) => {
  const all = [...edits, ...others];
  return all.length + all.reduce((sum, { start, end, new: added }) => sum + end - start + added.length, 0) / 1e4;
};

function showSmallest(flip) {
  const changes = flip.edits.length + flip.pair_edits.length;
  redraw(byId("smallest"), "button", make("h3", {}, `The smallest change that flips it: ${plural(changes, "place")}`), shown(flip));
  byId("smallest").hidden = false;
}

const rateOf = (row) =>
  searched(row.step) ? `found after ${plural(row.queries, "question")}` : `${row.flips} of ${row.n} flip`;

/** One probe: how often it flips, and under it the sentences that do; a line that is there stays as the reader left it. */
function variant(row, rate) {
  const bar = make("span", { class: searched(row.step) ? "bar none" : "bar", "aria-hidden": "true" });
  bar.style.setProperty("--share", row.rate ?? 0);
  const line = byId("variants").querySelector(`[data-step="${row.step}"]`)
    ?? make("li", { "data-step": row.step }, make("details", {}, make("summary"), make("p", { class: "quiet" }, explained(row.step))));
  const [head, , ...there] = line.firstChild.children;
  head.replaceChildren(make("b", {}, spaced(row.step)), bar, make("span", { class: "number" }, rate));
  const flips = row.examples.map((flip) => shown({ step: row.step, ...flip }));
  line.firstChild.append(...flips.filter((flip) => !there.some(({ dataset }) => dataset.changed === flip.dataset.changed)));
  return line;
}

/** One flip: the marked sentence (and its pair), the label before and after, and a way to take it along. */
export function shown(flip) {
  const { text, changed: now, edits, pair, changed_pair: nowPair, pair_edits: others, label, changed_label: turned } = flip;
  const lang = flip.lang ?? current?.lang;
  const alike = /homoglyph|look-alike/.test(flip.step);
  const sides = [...changed(text, edits, lang, alike), ...(pair ? changed(pair, others, lang, alike) : [])];
  const turn = make("p", { class: "turn" }, make("bdi", {}, label), " → ", make("strong", {}, make("bdi", {}, turned)));
  return make("div", { class: "variant", "data-changed": `${now} ${nowPair}` }, ...sides, make("div", { class: "under" }, turn, copier(edits.length ? now : nowPair)));
}

function held(row) {
  const said = row.measured
    ? `the label held in ${row.n === 1 ? "the one try" : `all ${row.n} tries`}; the true rate may be up to ${percent(row.high)}`
    : row.out_of_budget ? "not measured: time ran out" : "not measured: it cannot touch this sentence";
  return make("li", {}, make("b", {}, spaced(row.step)), ` ${said}`);
}
