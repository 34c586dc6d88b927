// Several pictures: the strip, how far they are, and the button that denoises all and saves one ZIP.

import { $ } from "../dom.js";
import { Tray } from "../picture/tray.js";
import { Strip } from "./strip.js";

export class Many {
  #tray;
  #strip;
  #working = new AbortController();
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

  /** Show how far the pictures are, with the settings as they are. */
  draw() {
    this.#strip.draw(this.#tray);
    $("many").hidden = !this.areSeveral;
    const states = this.#tray.items.map((item) => this.#tray.stateOf(item));
    const count = (state) => states.filter((other) => other === state).length;
    const failed = count("failed");
    $("many-status").textContent = `${count("done")} of ${states.length} done${failed ? `, ${failed} failed` : ""}`;
  }

  async #collect() {
    this.#working.abort();
    this.#working = new AbortController();
    const { signal } = this.#working;
    this.#on.begin();
    this.#showWorking(true);
    try {
      await this.#tray.denoiseAll(signal);
      const zip = signal.aborted ? null : await this.#tray.zip();
      if (zip && !signal.aborted) save(zip, "denoised.zip");
      if (!signal.aborted) this.#on.end();
    } catch (error) {
      if (!signal.aborted) this.#on.fail(error);
    }
    if (this.#working.signal === signal) this.#showWorking(false);
  }

  #showWorking(isWorking) {
    $("collect").hidden = isWorking;
    $("cancel-all").hidden = !isWorking;
  }
}

function save(blob, name) {
  const url = URL.createObjectURL(blob);
  Object.assign(document.createElement("a"), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // the browser may read it later
}
