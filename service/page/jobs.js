// Jobs that the service keeps: handed in, watched while they run, cancelled, read as a heat map, taken along.

import { events, json, pause, send } from "./ask.js";
import { button, byId, clear, fail, make, plural, redraw, save } from "./dom.js";
import { focusHeat, inTurn } from "./heat.js";
import { served } from "./served.js";

const SHOWN = 20;
/** Streams at once: a browser opens few connections to one address. */
const WATCHED = 2;
const watched = new Set();
let lists = 0;

/** `wanted` gives the sentences for a model. */
export function startJobs(wanted) {
  byId("job").addEventListener("click", () => act(async () => {
    const { model } = served;
    await submit(model, byId("battery").value, await wanted(model));
    byId("report-said").textContent = "The job is handed in.";
    await list();
  }, null, "report-failure"));
  list();
}

function submit(model, battery, sentences) {
  const column = (name, key) => (sentences.some((one) => one[key]) ? { [name]: sentences.map((one) => one[key] ?? null) } : {});
  const texts = sentences.map(({ text }) => text);
  const body = { model, battery, texts, ...column("labels", "label"), ...column("languages", "lang"), ...column("pairs", "pair") };
  return send("/batteries", { body, headers: { "Idempotency-Key": crypto.getRandomValues(new Uint32Array(4)).join("-") } });
}

async function list() {
  const mine = (lists += 1);
  clear(byId("list-failure"));
  try {
    const { jobs } = await json(`/batteries?limit=${SHOWN}`);
    if (mine !== lists) return;
    byId("jobs-part").hidden = jobs.length === 0;
    redraw(byId("jobs"), "li", ...jobs.map(draw));
    for (const job of jobs.filter(alive).reverse().slice(0, WATCHED)) watch(job);
  } catch (error) {
    if (error.status === 403) byId("job").hidden = true; // this key may not run jobs
    else if (mine === lists) fail(byId("list-failure"), error, list);
  }
}

const alive = ({ state }) => ["queued", "running"].includes(state);

/** Follows a job that is alive until it ends; a stream that breaks off is opened again. */
async function watch(job) {
  if (watched.has(job.id)) return;
  watched.add(job.id);
  let last = job;
  try {
    for await (const { data } of events(`/batteries/${job.id}/events`)) draw((last = data));
  } catch {
    await pause(2);
  }
  watched.delete(job.id);
  if (!alive(last)) byId("report-said").textContent = `The job “${last.battery}” is ${last.state}.`;
  await list();
}

/** The line of a job as it is now; the one that is there, if it is. */
function draw(job) {
  const line = byId("jobs").querySelector(`[data-id="${job.id}"]`) ?? make("li", { "data-id": job.id, tabindex: -1 });
  const { done, wanted } = job.progress;
  const share = wanted ? done / wanted : 0;
  if (line.dataset.state === job.state) {
    if (alive(job)) line.querySelector("progress").value = share;
    return line;
  }
  line.dataset.state = job.state;
  const small = (words, act, said) => button(words, act, { class: "small", "data-act": words, "aria-label": `${said ?? words}: ${job.battery}, ${when(job)}` });
  const files = ["HTML", "JSON", "CSV"].map((kind) => small(kind, () => take(job, kind.toLowerCase()), `Download ${kind}`));
  redraw(
    line, `[data-act="${document.activeElement.dataset.act}"]`,
    make("div", {}, make("b", {}, job.battery), make("span", { class: "quiet" }, ` on ${job.model}, ${plural(job.texts, "sentence")}, ${when(job)}`)),
    make("div", { class: "state" }, job.state, job.error ? `: ${job.error.error}` : "", alive(job) ? make("progress", { max: 1, value: share, "aria-label": `Progress of ${job.battery}` }) : null),
    make("div", { class: "acts" }, ...(job.state === "done" ? [small("Show", () => open(job)), ...files] : []), small(alive(job) ? "Cancel" : "Delete", () => end(job))),
  );
  return line;
}

const when = ({ created }) => new Date(created).toLocaleString("en");

/** Does what a button of a job asks; says what failed. */
async function act(work, again = () => act(work), place = "jobs-failure") {
  clear(byId(place));
  await work().catch((error) => fail(byId(place), error, again));
}

/** Cancels or deletes, as its button said. */
const end = (job) =>
  act(() => send(`/batteries/${job.id}?only=${alive(job) ? "cancel" : "delete"}`, { method: "DELETE" }).finally(list), list);

const take = (job, kind) => act(async () => {
  const response = await send(`/batteries/${job.id}/result?format=${kind}`);
  save(`babelproof-${job.id}.${kind}`, await response.blob());
});

const open = (job) => act(async () => {
  const show = inTurn();
  if (!show(asReport(job, await json(`/batteries/${job.id}/result`)))) return;
  byId("report").scrollIntoView({ block: "nearest" });
  focusHeat();
});

/** A report as the service writes it, its outcomes gathered under the cells they belong to. */
function asReport(job, { rows, outcomes, provenance }) {
  const fooled = Map.groupBy(outcomes.filter(({ status }) => status === "fooled"), ({ lang, step }) => `${lang} ${step}`);
  const edit = ([start, end, added]) => ({ start, end, new: added });
  const flip = (one) => ({
    text: one.before, changed: one.after, edits: one.edits.map(edit), pair: one.pair_before, changed_pair: one.pair_after, pair_edits: one.pair_edits.map(edit),
    label: one.predicted_before, changed_label: one.predicted_after,
  });
  return {
    name: `${job.battery}, ${job.model}`, model: job.model, job: job.id, steps: provenance.battery.steps.map(({ name }) => name), beside: null,
    rows: rows.map((row) => ({ ...row, examples: (fooled.get(`${row.lang} ${row.step}`) ?? []).map(flip) })),
  };
}
