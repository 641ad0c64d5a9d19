// Jobs that the service keeps: handed in, watched while they run, cancelled, read as a heat map, taken along.

import { events, get, pause, post, send } from "./ask.js";
import { button, byId, clear, fail, make, plural, save } from "./dom.js";
import { showHeat } from "./heat.js";
import { served } from "./served.js";

const SHOWN = 20;
/** Streams at once: a browser opens few connections to one address. */
const WATCHED = 2;
const watched = new Set();

/** `hand` submits a job and gives it. */
export function startJobs(hand) {
  byId("job").addEventListener("click", async () => {
    clear(byId("report-failure"));
    try {
      await hand();
      byId("report-said").textContent = "The job is handed in.";
      await list();
    } catch (error) {
      fail(byId("report-failure"), error);
    }
  });
  list();
}

export async function submit(battery, sentences) {
  const column = (name, key) => (sentences.some((one) => one[key]) ? { [name]: sentences.map((one) => one[key] ?? null) } : {});
  const texts = sentences.map(({ text }) => text);
  const body = { model: served.model, battery, texts, ...column("labels", "label"), ...column("languages", "lang"), ...column("pairs", "pair") };
  return (await post("/batteries", body, { headers: { "Idempotency-Key": crypto.getRandomValues(new Uint32Array(4)).join("-") } })).answer;
}

async function list() {
  clear(byId("jobs-failure"));
  try {
    const { jobs } = await get(`/batteries?limit=${SHOWN}`);
    byId("jobs-part").hidden = jobs.length === 0;
    const held = document.activeElement?.dataset.act;
    byId("jobs").replaceChildren(...jobs.map((job) => draw(job)));
    byId("jobs").querySelector(`[data-act="${held}"]`)?.focus({ preventScroll: true });
    for (const job of jobs.filter(alive).reverse().slice(0, WATCHED)) watch(job);
  } catch (error) {
    if (error.status === 403) byId("job").hidden = true; // this key may not run jobs
    else fail(byId("jobs-failure"), error, list);
  }
}

const alive = ({ state }) => ["queued", "running"].includes(state);

/** Follows a job that is alive until it ends; a stream that breaks off is opened again. */
async function watch(job) {
  if (watched.has(job.id)) return;
  watched.add(job.id);
  let last = job;
  try {
    for await (const { data } of events(`/batteries/${job.id}/events`)) {
      draw((last = data), byId("jobs").querySelector(`[data-id="${job.id}"]`) ?? undefined);
    }
  } catch {
    await pause(2);
  }
  watched.delete(job.id);
  if (!alive(last)) byId("report-said").textContent = `The job “${last.battery}” is ${last.state}.`;
  await list();
}

function draw(job, line = make("li", { "data-id": job.id })) {
  const { done, wanted } = job.progress;
  const share = wanted ? done / wanted : 0;
  const bar = line.querySelector("progress");
  if (bar && alive(job) && line.dataset.state === job.state) {
    bar.value = share;
    return line;
  }
  line.dataset.state = job.state;
  const small = (words, act, said) => button(words, act, { class: "small", "data-act": `${job.id} ${words}`, "aria-label": `${said ?? words}: ${job.battery}, ${when(job)}` });
  const files = ["HTML", "JSON", "CSV"].map((kind) => small(kind, () => take(job, kind.toLowerCase()), `Download ${kind}`));
  line.replaceChildren(
    make("div", {}, make("b", {}, job.battery), make("span", { class: "quiet" }, ` on ${job.model}, ${plural(job.texts, "sentence")}, ${when(job)}`)),
    make("div", { class: "state" }, job.state, job.error ? `: ${job.error.error}` : "", alive(job) ? make("progress", { max: 1, value: share, "aria-label": `Progress of ${job.battery}` }) : null),
    make("div", { class: "acts" }, ...(job.state === "done" ? [small("Show", () => open(job)), ...files] : []), small(alive(job) ? "Cancel" : "Delete", () => end(job))),
  );
  return line;
}

const when = ({ created }) => new Date(created).toLocaleString("en");

/** Cancels or deletes, as its button said. */
async function end(job) {
  const only = alive(job) ? "cancel" : "delete";
  const refused = await send(`/batteries/${job.id}?only=${only}`, { method: "DELETE" }).catch((error) => error);
  await list();
  if (refused instanceof Error) fail(byId("jobs-failure"), refused, list);
}

async function take(job, kind) {
  try {
    const response = await send(`/batteries/${job.id}/result?format=${kind}`);
    save(`babelproof-${job.id}.${kind}`, await response.blob());
  } catch (error) {
    fail(byId("jobs-failure"), error, () => take(job, kind));
  }
}

async function open(job) {
  try {
    showHeat(asReport(job, await get(`/batteries/${job.id}/result`)));
    byId("report").scrollIntoView({ block: "nearest" });
    byId("heat").querySelector('td[tabindex="0"]')?.focus();
  } catch (error) {
    fail(byId("jobs-failure"), error, () => open(job));
  }
}

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
