// Requests to the service: waits while it is busy, asks the reader for a key where one is needed, reads streams.

import { byId } from "./dom.js";

const KEY = "babelproof-key";
const AWAY = "The service does not answer just now. Try again in a moment.";
const PATIENCE = 20;
let asking = null;

/** The service's own sentence, or one for a status; `status` says which. */
export class Refused extends Error {
  constructor(status, said) {
    super(said ?? `The service refused this (status ${status}).`);
    this.status = status;
  }
}

/** A response that is not an error. A body makes it a POST unless a method is given. */
export async function send(path, { body, method, headers, signal } = {}) {
  for (let tries = 0; ; tries += 1) {
    const key = sessionStorage.getItem(KEY);
    const response = await fetch(path, {
      method: method ?? (body ? "POST" : "GET"),
      body: JSON.stringify(body),
      headers: { ...(body && { "Content-Type": "application/json" }), ...(key && { Authorization: `Bearer ${key}` }), ...headers },
      signal,
    }).catch((error) => { throw error.name === "AbortError" ? error : new Error(AWAY); });
    if (response.ok) return response;
    const seconds = Number(response.headers.get("Retry-After") ?? 1);
    if (response.status === 401) {
      if (key === sessionStorage.getItem(KEY)) await newKey(key ? "This key is not known here." : "This service answers to a key.", signal);
    } else if ([429, 503].includes(response.status) && tries < PATIENCE && seconds <= 60) await wait(seconds, signal);
    else throw new Refused(response.status, await sentence(response));
  }
}

export const json = async (path, options) => (await send(path, options)).json();

/** The events of a stream one by one, as {event, data}; an answer that is no stream is its one "result". */
export async function* events(path, options) {
  const response = await send(path, { ...options, headers: { Accept: "text/event-stream, application/json;q=0.9" } });
  if (!response.headers.get("Content-Type")?.startsWith("text/event-stream")) {
    yield { event: "result", data: await response.json() };
    return;
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let held = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const blocks = (held + value).split("\n\n");
      held = blocks.pop();
      yield* blocks.map(parsed).filter(Boolean);
    }
  } catch (error) {
    throw error.name === "AbortError" || error instanceof Refused ? error : new Error("The connection broke off. Try again.");
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** The result of a stream; what it says before goes to the function that has the name of the event. */
export async function result(path, options, heard) {
  for await (const { event, data } of events(path, options)) {
    if (event === "result") return data;
    heard[event]?.(data);
  }
  throw new Error("The answer ended too early. Try again.");
}

/** An event of one line of data; null for a comment, by which the service says that it is still there. */
function parsed(block) {
  const field = (name) => block.split("\n").find((line) => line.startsWith(`${name}:`))?.slice(name.length + 1).trim();
  if (!field("data")) return null;
  const [event, data] = [field("event"), JSON.parse(field("data"))];
  if (event === "error") throw new Refused(500, data.error);
  return { event, data };
}

const sentence = (response) =>
  response.json().then(({ error }) => error).catch(() => (response.status >= 500 ? AWAY : undefined));

async function wait(seconds, signal) {
  byId("waiting").hidden = false;
  await pause(seconds, signal).finally(() => { byId("waiting").hidden = true; });
}

/** What is waited for, unless the signal comes first. */
const unless = (signal, awaited) =>
  Promise.race([awaited, new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason), { once: true }))]);

export const pause = (seconds, signal) => unless(signal, new Promise((resolve) => setTimeout(resolve, seconds * 1000)));

/** Waits until the reader has given another key. */
export function newKey(said, signal) {
  asking ??= new Promise((resolve) => {
    const [form, held] = [byId("key-form"), document.activeElement];
    byId("key-said").textContent = said;
    form.hidden = false;
    form.onsubmit = (event) => {
      event.preventDefault();
      sessionStorage.setItem(KEY, byId("key").value.trim());
      form.reset();
      form.hidden = true;
      held.focus();
      asking = null;
      resolve();
    };
  });
  byId("key").focus();
  return unless(signal, asking);
}
