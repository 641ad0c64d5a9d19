// Several models: which one is asked, which one it is compared with, and where a candidate would answer otherwise.

import { json } from "./ask.js";
import { byId, clear, fail, interval, make, percent, plural, points } from "./dom.js";
import { facts, nameOf, served } from "./served.js";

export function startModels(changed) {
  const choose = () => {
    served.model = byId("served").value;
    const { labels, languages, sha256 } = facts();
    byId("model").textContent = `Model ${served.model}: ${plural(labels.length, "label")}, made for ${plural(languages.length, "language")}, identity ${sha256.slice(0, 12)}`;
    fillOthers();
    candidate();
    changed();
  };
  byId("served").replaceChildren(...served.models.map(({ name }) => make("option", { value: name }, name)));
  byId("served").value = served.model;
  byId("models").hidden = served.models.length < 2;
  byId("served").addEventListener("change", choose);
  choose();
}

function fillOthers() {
  const others = served.models.map(({ name }) => name).filter((name) => name !== served.model);
  for (const id of ["other", "against"]) {
    byId(id).replaceChildren(...["", ...others].map((name) => make("option", { value: name }, name || "no other")));
    byId(`${id}-field`).hidden = !others.length;
  }
}

/** What live traffic says of the candidate of the model, where there is one. */
async function candidate() {
  const { name, candidate: next } = served.models.find((one) => one.name === served.model);
  byId("candidate").hidden = true;
  clear(byId("candidate-failure"));
  if (!next) return;
  try {
    const { overall, languages, tolerated, confidence } = await json(`/models/${encodeURIComponent(name)}/shadow`);
    if (name !== served.model) return;
    byId("candidate").hidden = false;
    byId("candidate-said").textContent =
      `The model ${next.sha256.slice(0, 12)} answers a sample of the live sentences beside this one. It may part with it on ${percent(tolerated)}; intervals hold with ${percent(confidence)}, however often one looks.`;
    byId("shadow").tBodies[0].replaceChildren(line("All languages", overall), ...languages.map((one) => line(nameOf(one.lang), one)));
  } catch (error) {
    if (name === served.model) fail(byId("candidate-failure"), error, candidate);
  }
}

function line(name, { n, rate, low, high, verdict, margin_change: change, margin_low: least, margin_high: most }) {
  const margin = change === null ? "–" : `${points(change)} (${points(least)} to ${points(most)})`;
  const cells = [n, rate === null ? "–" : interval(rate, low, high), margin, verdict];
  return make("tr", {}, make("th", { scope: "row" }, name), ...cells.map((words) => make("td", {}, String(words))));
}
