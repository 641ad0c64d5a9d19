// Small tools of the page: elements, numbers in words, files to keep.

export const byId = (id) => document.getElementById(id);

/** An element with attributes and children; text is never read as HTML. */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

export function button(words, act, attributes = {}) {
  const element = make("button", { type: "button", ...attributes }, words);
  element.addEventListener("click", act);
  return element;
}

export const percent = (share) => {
  const value = share * 100;
  return `${value > 0 && value < 1 ? "<1" : Math.round(value)} %`;
};

/** A difference of two shares in percentage points, with its sign. */
export const points = (difference) => {
  const value = Math.round(difference * 100);
  return value > 0 ? `+${value}` : value < 0 ? `−${-value}` : "0";
};

/** A rate with its interval, in words. */
export const interval = (rate, low, high) => `${percent(rate)} (${percent(low)} to ${percent(high)})`;

export const plural = (count, one, many = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

/** The name of a probe as people write it. */
export const spaced = (name) => name.replaceAll("_", " ");

/** Says in one place that something failed, and offers to do it again. */
export function fail(place, error, again) {
  if (error.name === "AbortError") return;
  place.replaceChildren(make("span", {}, error.message));
  if (again) place.append(" ", button("Try again", () => { clear(place); again(); }, { class: "small" }));
  place.hidden = false;
}

/** Draws a place anew. What had the focus in it keeps it, or its heir (a selector) takes it, or the place itself. */
export function redraw(place, heir, ...children) {
  const held = document.activeElement;
  const within = place.contains(held);
  place.replaceChildren(...children);
  if (within) (held.isConnected ? held : (place.querySelector(heir) ?? place)).focus({ preventScroll: true });
}

export function clear(place) {
  place.replaceChildren();
  place.hidden = true;
}

/** Hands a file to the reader. */
export function save(name, blob) {
  const link = make("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/** A button that copies a text and says so for a moment. */
export function copier(text) {
  const element = button("Copy it", async () => {
    const done = await navigator.clipboard?.writeText(text).then(() => true, () => false);
    element.textContent = done ? "Copied" : "The browser does not let it be copied";
    setTimeout(() => { element.textContent = "Copy it"; }, 2000);
  }, { class: "small" });
  return element;
}

/** Runs one thing at a time; meanwhile the button that stops it has the place of the one that starts it, and its focus. */
export function runner(...ids) {
  const [start, stop, progress] = ids.map(byId);
  let running = null;
  const halt = () => running?.abort();
  stop.addEventListener("click", halt);
  const busy = (yes) => {
    const [gone, come] = yes ? [start, stop] : [stop, start];
    come.hidden = false;
    if (document.activeElement === gone) come.focus({ preventScroll: true });
    gone.hidden = true;
    progress.hidden = !yes;
    progress.value = 0;
  };
  const run = async (work, failed) => {
    halt();
    const control = (running = new AbortController());
    busy(true);
    await work(control.signal).catch((error) => { if (running === control) failed(error); });
    if (running === control) busy(false);
  };
  return { run, halt };
}
