// How long a picture will take, learned from those before it.

const CALL_MS = 25; // what a call takes that has nothing to do with the picture's size
const FEWEST_PIXELS = 10_000; // fewer say nothing about the speed

/** The time for each pixel, by what is done: a model and a format. */
export class Rate {
  #msPerPixel = new Map();

  /** Remember how long a picture took. */
  learn(kind, pixels, milliseconds) {
    if (pixels >= FEWEST_PIXELS) this.#msPerPixel.set(kind, Math.max(0, milliseconds - CALL_MS) / pixels);
  }

  /** Return how long a picture will take, in milliseconds; null if nothing is known. */
  expectedMs(kind, pixels) {
    const rate = this.#msPerPixel.get(kind);
    return rate === undefined ? null : CALL_MS + rate * pixels;
  }

  /** Return how many pixels can be done in so many milliseconds; `guess` if nothing is known. */
  pixelsIn(kind, milliseconds, guess) {
    const rate = this.#msPerPixel.get(kind);
    return rate ? Math.max(FEWEST_PIXELS, (milliseconds - CALL_MS) / rate) : guess;
  }
}
