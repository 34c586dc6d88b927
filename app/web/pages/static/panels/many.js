// Several pictures: the strip, how far they are, and the button that denoises all and saves one ZIP.

import { $ } from "../dom.js";
import { Tray } from "../picture/tray.js";
import { Strip } from "./strip.js";

const STEP_MS = 1000;

export class Many {
  #tray;
  #strip;
  #working = new AbortController();
  #start = null; // of the work on all: its time, and how many had been done
  #on;

  /**
   * @param {object} on
   * @param {(size: ?object) => URLSearchParams} on.query returns the query for a picture
   * @param {(item: Item) => void} on.select shows one of the pictures
   * @param {() => void} on.begin is called before all are denoised
   * @param {() => void} on.end is called when all are denoised
   * @param {(error: Error) => void} on.fail shows that there is no ZIP
   */
  constructor(on) {
    this.#on = on;
    this.#tray = new Tray(on.query, () => this.draw());
    this.#strip = new Strip($("strip"), (item) => this.select(item));
    $("collect").addEventListener("click", () => this.#collect());
    $("cancel-all").addEventListener("click", () => this.#working.abort());
  }

  /** The picture that is shown, if it is one of those that were chosen. */
  get selected() {
    return this.#tray.selected;
  }

  /** Whether there is more than one picture. */
  get areSeveral() {
    return this.#tray.items.length > 1;
  }

  /** Replace the pictures, and show the first. */
  fill(files) {
    this.#working.abort();
    this.#tray.fill(files);
    if (files.length > 0) this.select(this.#tray.selected);
  }

  /** Show one of the pictures. */
  select(item) {
    this.#tray.selected = item;
    this.draw();
    this.#on.select(item);
  }

  /** Return what `work` makes of one of the pictures, which is not sent with all others meanwhile. */
  hold(item, query, work, isFinal) {
    return this.#tray.hold(item, query, work, isFinal);
  }

  /** Show how far the pictures are, with the settings as they are; return how many are done. */
  draw() {
    this.#strip.draw(this.#tray);
    $("many").hidden = !this.areSeveral;
    const states = this.#tray.items.map((item) => this.#tray.stateOf(item));
    const count = (state) => states.filter((other) => other === state).length;
    const [done, working, failed] = ["done", "working", "failed"].map(count);
    const others = [[working, "in work"], [failed, "failed"]].filter(([number]) => number > 0);
    $("many-status").textContent = [`${done} of ${states.length} done`, ...others.map((other) => other.join(" "))].join(", ");
    $("many-time").textContent = this.#start ? describeTime(performance.now() - this.#start.ms, done - this.#start.done, states.length - done - failed) : "";
    return done;
  }

  async #collect() {
    this.#working.abort();
    this.#working = new AbortController();
    const { signal } = this.#working;
    this.#on.begin();
    this.#showWorking(true);
    this.#start = null;
    this.#start = { ms: performance.now(), done: this.draw() };
    const timer = setInterval(() => this.draw(), STEP_MS);
    try {
      await this.#tray.denoiseAll(signal);
      const zip = signal.aborted ? null : await this.#tray.zip();
      if (zip && !signal.aborted) save(zip, "denoised.zip");
      if (!signal.aborted) this.#on.end();
    } catch (error) {
      if (!signal.aborted) this.#on.fail(error);
    }
    clearInterval(timer);
    if (this.#working.signal !== signal) return;
    this.#showWorking(false);
    this.#start = null;
    this.draw();
  }

  #showWorking(isWorking) {
    $("collect").hidden = isWorking;
    $("cancel-all").hidden = !isWorking;
  }
}

/** Return how long the work has taken, and how long the rest will take, going by what it has done. */
function describeTime(elapsedMs, done, left) {
  const elapsed = `· ${formatSeconds(elapsedMs)}`;
  return done > 0 && left > 0 ? `${elapsed}, about ${formatSeconds((elapsedMs / done) * left)} left` : elapsed;
}

function formatSeconds(ms) {
  return ms < 90_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`;
}

function save(blob, name) {
  const url = URL.createObjectURL(blob);
  Object.assign(document.createElement("a"), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // the browser may read it later
}
