// What the service serves: its facts, languages and models, and the one that is asked.

import { json } from "./ask.js";

export const served = { about: null, languages: new Map(), models: [], model: null };

export async function load() {
  const [about, languages, { models }] = await Promise.all([json("/about"), json("/languages.json"), json("/models")]);
  Object.assign(served, { about, models, languages: new Map(languages.map((one) => [one.code, one])), model: models.find((one) => one.default).name });
}

/** The facts of a model; of the one that is asked, unless another is named. */
export const facts = (model = served.model) => served.models.find(({ name }) => name === model).active;

/** The address of a route of a model; the default model has it without its name. */
export const at = (path, model = served.model) =>
  served.models.find(({ name }) => name === model).default ? path : `/models/${encodeURIComponent(model)}${path}`;

const known = (lang) => served.languages.get(lang) ?? served.languages.get(lang.split("-")[0]);

export const nameOf = (lang) => known(lang)?.name ?? lang;

export const scriptsOf = (lang) => known(lang)?.scripts ?? [];
