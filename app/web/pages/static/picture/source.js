// What is sent: the picture that was opened, or a noisy copy of it.

import { addNoise } from "./noise.js";
import { encodePng, hasColor, openPicture, readPixels, release } from "./picture.js";

/**
 * @typedef {object} Sent
 * @property {Picture} picture
 * @property {?Pixels} clean before noise was added; null if none was
 * @property {?Pixels} noisy with the noise
 * @property {string} key tells whether two are the same
 */

/** Return what is sent of a picture; `noise` is {sigma, seed, isGray}, or null for none. `last` is used again if it fits. */
export async function prepare(opened, noise, last) {
  if (!noise || !opened.image) return { picture: opened, clean: null, noisy: null, key: opened.url };
  const channels = !noise.isGray && hasColor(opened.image) ? 3 : 1;
  const key = [opened.url, noise.sigma, noise.seed, channels].join(" ");
  if (last?.key === key) return last;
  const clean = readPixels(opened.image, channels);
  const noisy = addNoise(clean, noise.sigma, noise.seed);
  const picture = await openPicture(await encodePng(noisy), opened.name.replace(/(\.[^.]*)?$/, "-noisy.png"));
  return { picture, clean, noisy, key };
}

/** Free what was prepared, unless `kept` uses it or it is the opened picture itself. */
export function discard(sent, kept, opened) {
  if (sent && sent.picture !== kept?.picture && sent.picture !== opened) release(sent.picture);
}
