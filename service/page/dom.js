// Small tools of the page: elements, requests, numbers.

export const byId = (id) => document.getElementById(id);

/** An element with attributes and children; text is never read as HTML. */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

export async function get(path) {
  const response = await fetch(path);
  return response.json();
}

/** The parsed answer and its headers; waits and tries again while the service is busy. */
export async function post(path, body, patience = 20) {
  let response;
  try {
    response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    throw new Error("The service does not answer just now. Try again in a moment.");
  }
  if (response.status === 429 && patience > 0) {
    const seconds = Number(response.headers.get("Retry-After") ?? 1);
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    return post(path, body, patience - 1);
  }
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error ?? "The service refused this.");
  return { answer, headers: response.headers };
}

export const percent = (share) => {
  const value = share * 100;
  return `${value > 0 && value < 1 ? "<1" : Math.round(value)} %`;
};

/** A rate with its interval, in words. */
export const interval = (rate, low, high) => `${percent(rate)} (${percent(low)} to ${percent(high)})`;

export const plural = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;
