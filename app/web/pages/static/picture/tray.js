// Several pictures that share the settings: what became of each, and all of them denoised, a few at a time.

import { denoise, resultName } from "../service/calls.js";
import { insist, TRIES } from "../service/insist.js";
import { distinctNames, makeZip } from "./zip.js";

const IN_FLIGHT = 3;
const TOO_LATE = "/problems/deadline-exceeded";

/**
 * @typedef {object} Item
 * @property {string} name
 * @property {Blob} blob
 * @property {?{width: number, height: number}} size null as long as it is unknown
 * @property {boolean} isWorking
 * @property {number} late how often its time was over
 * @property {?Promise<void>} work resolved when the work on it ends, however that is
 * @property {?{query: string, response: object}} done the last result
 * @property {?{query: string, error: Error}} failed the last error
 */

export class Tray {
  items = [];
  selected = null;
  #queryFor;
  #onChange;

  /** @param {(size: ?object) => URLSearchParams} queryFor a picture of a size @param {() => void} onChange */
  constructor(queryFor, onChange) {
    this.#queryFor = queryFor;
    this.#onChange = onChange;
  }

  /** Replace the pictures; the first is selected. */
  fill(files) {
    this.items = files.map((blob) => ({ name: blob.name, blob, size: null, isWorking: false, late: 0, work: null, done: null, failed: null }));
    this.selected = this.items[0] ?? null;
    this.#onChange();
  }

  /** Return "working", or "done", "failed" or "waiting" with the settings as they are. */
  stateOf(item) {
    const query = this.#queryFor(item.size).toString();
    if (item.isWorking) return "working";
    if (item.done?.query === query) return "done";
    return item.failed?.query === query ? "failed" : "waiting";
  }

  /**
   * Denoise what is waiting or has failed, until all results are those of the settings, which may change meanwhile.
   *
   * Where the time of a picture is over, the service is too slow for so many at once: it waits for another turn, and fewer
   * are in flight from then on.
   */
  async denoiseAll(signal) {
    let [working, limit] = [0, IN_FLIGHT];
    for (const item of this.items) Object.assign(item, { failed: null, late: 0 });
    const nextItem = () => (signal.aborted ? null : this.items.find((item) => this.stateOf(item) === "waiting"));
    const work = async () => {
      working++;
      for (let item = nextItem(); item && working <= limit; item = nextItem()) {
        const { late } = item;
        await this.#denoise(item, signal);
        if (item.late > late) limit = Math.max(1, limit - 1);
      }
      working--;
    };
    do {
      await Promise.all(Array.from({ length: IN_FLIGHT }, work));
      await Promise.race([Promise.all(this.items.map((item) => item.work)), aborted(signal)]); // also of what is held
    } while (nextItem());
  }

  /**
   * Return what `work` makes of an item; nobody else begins with it meanwhile.
   *
   * @param {Item} item
   * @param {URLSearchParams} query
   * @param {() => Promise<{response: object}>} work
   * @param {(error: Error) => boolean} isFinal whether the item has failed, or is waiting again
   */
  async hold(item, query, work, isFinal) {
    let end;
    item.work = new Promise((resolve) => (end = resolve));
    item.isWorking = true;
    this.#onChange();
    try {
      const result = await work();
      item.done = { query: query.toString(), response: result.response };
      return result;
    } catch (error) {
      if (isFinal(error)) item.failed = { query: query.toString(), error };
      throw error;
    } finally {
      item.isWorking = false;
      this.#onChange();
      end();
    }
  }

  /** Return a ZIP of the results, or null if there is none. */
  async zip() {
    const done = this.items.filter((item) => this.stateOf(item) === "done");
    if (done.length === 0) return null;
    const names = distinctNames(done.map(({ name, done: { query } }) => resultName(name, new URLSearchParams(query).get("format"))));
    return makeZip(done.map(({ done: { response } }, index) => ({ name: names[index], blob: response.blob })));
  }

  async #denoise(item, signal) {
    const query = this.#queryFor(item.size);
    const work = async () => ({ response: await insist(() => denoise(item.blob, query, signal), signal, isSoonOver) });
    const isFinal = ({ type }) => {
      if (type === TOO_LATE) item.late++;
      return !signal.aborted && (type !== TOO_LATE || item.late === TRIES);
    };
    await this.hold(item, query, work, isFinal).catch(() => {}); // the item says why
  }
}

function isSoonOver({ type }) {
  return type !== TOO_LATE;
}

function aborted(signal) {
  return new Promise((resolve) => (signal.aborted ? resolve() : signal.addEventListener("abort", resolve, { once: true })));
}
