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
export async function send(path, { body, method, headers = {}, signal } = {}) {
  for (let tries = 0; ; tries += 1) {
    const key = sessionStorage.getItem(KEY);
    const response = await reach(path, {
      method: method ?? (body === undefined ? "GET" : "POST"),
      body: body === undefined ? undefined : JSON.stringify(body),
      headers: {
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...(key ? { Authorization: `Bearer ${key}` } : {}),
        ...headers,
      },
      signal,
    });
    if (response.ok) return response;
    const seconds = Number(response.headers.get("Retry-After") ?? 1);
    if (response.status === 401) await newKey(key, signal);
    else if ([429, 503].includes(response.status) && tries < PATIENCE && seconds <= 60) await wait(seconds, signal);
    else throw new Refused(response.status, await sentence(response));
  }
}

export const get = async (path, options) => (await send(path, options)).json();

/** The answer to a body and its headers. */
export async function post(path, body, options) {
  const response = await send(path, { ...options, body });
  return { answer: await response.json(), headers: response.headers };
}

/** The events of a stream one by one, as {event, data}; an answer that is no stream is its one "result". */
export async function* events(path, options = {}) {
  const response = await send(path, { ...options, headers: { Accept: "text/event-stream, application/json;q=0.9", ...options.headers } });
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

/** An event of one line of data; null for a comment, by which the service says that it is still there. */
function parsed(block) {
  const field = (name) => block.match(new RegExp(`^${name}: ?(.*)$`, "m"))?.[1];
  if (!field("data")) return null;
  const [event, data] = [field("event"), JSON.parse(field("data"))];
  if (event === "error") throw new Refused(500, data.error);
  return { event, data };
}

async function reach(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    throw error.name === "AbortError" ? error : new Error(AWAY);
  }
}

async function sentence(response) {
  try {
    return (await response.json()).error;
  } catch {
    return response.status >= 500 ? AWAY : undefined;
  }
}

async function wait(seconds, signal) {
  byId("waiting").hidden = false;
  try {
    await pause(seconds, signal);
  } finally {
    byId("waiting").hidden = true;
  }
}

export function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const stop = () => { clearTimeout(timer); reject(signal.reason); };
    const timer = setTimeout(() => { signal?.removeEventListener("abort", stop); resolve(); }, seconds * 1000);
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/** Waits until the reader has given a key other than the one that was refused. */
async function newKey(refused, signal) {
  if (sessionStorage.getItem(KEY) !== refused) return;
  asking ??= new Promise((resolve) => {
    const form = byId("key-form");
    byId("key-said").textContent = refused ? "This key is not known here." : "This service answers to a key.";
    form.hidden = false;
    byId("key").focus();
    form.onsubmit = (event) => {
      event.preventDefault();
      sessionStorage.setItem(KEY, byId("key").value.trim());
      byId("key").value = "";
      form.hidden = true;
      asking = null;
      resolve();
    };
  });
  await asking;
  signal?.throwIfAborted();
}
