// What is known about a result: PSNR, stage times, and the response headers.

const STAGES = {
  read: "read the upload",
  decode: "decode and fit",
  queue: "wait for the network",
  infer: "denoise",
  encode: "encode",
  rest: "transfer and the rest",
};

/** Split a call into the stages of Server-Timing (https://www.w3.org/TR/server-timing/) and the rest, in ms. */
export function timeStages(serverTiming, wallMs) {
  const durations = new Map();
  for (const entry of (serverTiming ?? "").split(",")) {
    const [name, ...parameters] = entry.trim().split(";");
    const duration = parameters.map((text) => text.trim()).find((text) => text.startsWith("dur="));
    if (name in STAGES && duration) durations.set(name, Number(duration.slice(4)));
  }
  const served = [...durations.values()].reduce((sum, duration) => sum + duration, 0);
  durations.set("rest", Math.max(0, wallMs - served));
  return durations;
}

/** Draw the stages as a bar with a legend. */
export function drawTiming(bar, legend, durations) {
  const total = [...durations.values()].reduce((sum, duration) => sum + duration, 0);
  bar.replaceChildren();
  legend.replaceChildren();
  for (const [name, duration] of durations) {
    const piece = element("span", "", `stage-${name}`);
    piece.style.flexGrow = duration / total;
    bar.append(piece);
    const entry = element("li", "", `stage-${name}`);
    entry.append(element("span", STAGES[name]), element("b", formatMs(duration)));
    legend.append(entry);
  }
}

/** Fill a description list. */
export function drawFacts(list, facts) {
  list.replaceChildren();
  for (const [term, description] of facts) {
    if (description === null) continue;
    const group = element("div");
    group.append(element("dt", term), element("dd", description));
    list.append(group);
  }
}

/** Return text like "0.12 ms", with about three digits. */
export function formatMs(milliseconds) {
  return `${milliseconds < 10 ? milliseconds.toFixed(2) : milliseconds < 100 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`;
}

/** Return text like "22.7 dB". */
export function formatDb(decibels) {
  return Number.isFinite(decibels) ? `${decibels.toFixed(1)} dB` : "∞ dB";
}

function element(name, text = "", className = "") {
  return Object.assign(document.createElement(name), { textContent: text, className });
}
