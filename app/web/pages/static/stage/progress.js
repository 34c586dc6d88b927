// Work in progress: how long it has taken, how long it will take, and a way to end it.

const QUIET_MS = 400; // what is done by then shows no progress
const STEP_MS = 100;
const LARGEST_SHARE = 0.98; // of the bar, as long as the work goes on

export class Progress {
  #place;
  #timer = 0;
  #startedAt = 0;
  #expectedMs = null;

  /** @param {HTMLElement} place holds a <progress> and a .progress-text @param {HTMLButtonElement} button @param {() => void} cancel */
  constructor(place, button, cancel) {
    this.#place = place;
    button.addEventListener("click", cancel);
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !place.hidden) cancel();
    });
  }

  /** Begin to count; work that goes on shows nothing at first. */
  start() {
    this.stop();
    this.#startedAt = performance.now();
    this.#timer = setInterval(() => this.#draw(), STEP_MS);
  }

  /** Say how long the work will take from now on, in milliseconds; null if that is unknown. */
  expect(milliseconds) {
    this.#expectedMs = milliseconds === null ? null : milliseconds + this.#elapsedMs;
  }

  /** End. */
  stop() {
    clearInterval(this.#timer);
    this.#expectedMs = null;
    this.#place.hidden = true;
  }

  get #elapsedMs() {
    return performance.now() - this.#startedAt;
  }

  #draw() {
    const [elapsed, expected] = [this.#elapsedMs, this.#expectedMs];
    if (elapsed < QUIET_MS) return;
    const bar = this.#place.querySelector("progress");
    if (expected === null) bar.removeAttribute("value");
    else bar.value = Math.min(LARGEST_SHARE, elapsed / expected);
    this.#place.querySelector(".progress-text").textContent = describe(elapsed, expected);
    this.#place.hidden = false;
  }
}

function describe(elapsed, expected) {
  const seconds = `${(elapsed / 1000).toFixed(1)} s`;
  if (expected === null) return seconds;
  if (elapsed > expected) return `${seconds}, longer than expected`;
  return `${seconds} of about ${Math.max(1, Math.round(expected / 1000))} s`;
}
