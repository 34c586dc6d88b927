// How long a picture will take, learned from those before it.

const CALL_MS = 25; // what a call takes that has nothing to do with the picture's size
const FEWEST_PIXELS = 30_000; // fewer say little about the speed
const SMALLEST_SHARE = 0.25; // of the pixels of a call, for another one to say more about large pictures

/** The time for each pixel, by what is done: a model and a format. */
export class Rate {
  #latest = new Map();
  #large = new Map();

  /** Remember how long a picture took. */
  learn(kind, pixels, milliseconds) {
    const msPerPixel = Math.max(0, milliseconds - CALL_MS) / pixels;
    if (pixels >= FEWEST_PIXELS) this.#latest.set(kind, msPerPixel);
    if (pixels >= SMALLEST_SHARE * (this.#large.get(kind)?.pixels ?? FEWEST_PIXELS)) this.#large.set(kind, { pixels, msPerPixel });
  }

  /** Return how long a large picture will take, in milliseconds; null if nothing is known. */
  expectedMs(kind, pixels) {
    const large = this.#large.get(kind);
    return large === undefined ? null : CALL_MS + large.msPerPixel * pixels;
  }

  /** Return how many pixels can be done in so many milliseconds, or some more; `guess` if nothing is known. */
  pixelsIn(kind, milliseconds, guess) {
    const msPerPixel = this.#latest.get(kind);
    return msPerPixel ? Math.max(FEWEST_PIXELS, (milliseconds - CALL_MS) / msPerPixel) : guess;
  }
}
