// Denoise one picture: a part of what can be seen first if the whole takes long, then the whole.

import { pause } from "./pause.js";
import { crop, openPicture } from "./picture/picture.js";
import { denoise, resultName } from "./service/calls.js";
import { insist } from "./service/insist.js";
import { hasFixedSize } from "./service/models.js";
import { Rate } from "./service/rate.js";

const PREVIEW_MS = 280; // with the pause of a slider and the way to the service, half a second
const PREVIEW_GUESS_PX = 100_000; // before anything is known about the speed
const QUICK_MS = 500; // what takes no longer needs no preview
// A service that has begun with a large picture cannot answer at once: it begins when a slider seems to rest.
const REST_MS = 800;
const RATE_EXCEEDED = "/problems/rate-exceeded";

const rate = new Rate();

/**
 * @param {object} job
 * @param {Picture} job.picture what is sent
 * @param {URLSearchParams} job.query
 * @param {object} job.model entry of /v1/models
 * @param {?{x: number, y: number, width: number, height: number}} job.visible pixels that can be seen
 * @param {?string} job.noiseLevel of the whole picture, where the query leaves it to be estimated and it is known
 * @param {object} report
 * @param {(milliseconds: ?number) => void} report.expect is called with the time that the whole will take
 * @param {(preview: Picture, part: object) => void} report.preview
 * @param {AbortSignal} signal
 * @returns {Promise<{picture: Picture, response: object}>} the whole
 */
export async function denoiseInSteps({ picture, query, model, visible, noiseLevel }, report, signal) {
  const kind = `${model.name} ${query.get("format")}`;
  const { size } = picture;
  const pixels = size && size.width * size.height;
  if (picture.image && !hasFixedSize(model) && isLong(kind, pixels)) {
    const part = shrink(visible, rate.pixelsIn(kind, PREVIEW_MS, PREVIEW_GUESS_PX));
    if (part.width * part.height < pixels / 2) {
      await preview(part);
      await pause(REST_MS, signal);
    }
  }
  report.expect(size && rate.expectedMs(kind, pixels));
  const response = await send(picture.blob, query);
  if (size) rate.learn(kind, pixels, response.wallMs);
  return { picture: await openPicture(response.blob, resultName(picture.name, query.get("format"))), response };

  async function preview(part) {
    const partQuery = new URLSearchParams(query);
    partQuery.set("model", model.name); // a small part is no small picture
    if (noiseLevel && !partQuery.has("noise_level")) partQuery.set("noise_level", noiseLevel);
    const response = await send(await crop(picture.image, part), partQuery);
    rate.learn(kind, part.width * part.height, response.wallMs);
    report.preview(await openPicture(response.blob, "preview"), part);
  }

  /** Denoise; the page itself has just used up the rate of a key that has a low one. */
  function send(blob, query) {
    return insist(() => denoise(blob, query, signal), signal, ({ type }) => type === RATE_EXCEEDED);
  }
}

function isLong(kind, pixels) {
  return (rate.expectedMs(kind, pixels) ?? (pixels > PREVIEW_GUESS_PX ? Infinity : 0)) > QUICK_MS;
}

/** Return the part of a part around its centre that has at most so many pixels. */
function shrink({ x, y, width, height }, pixels) {
  const factor = Math.min(1, Math.sqrt(pixels / (width * height)));
  const [w, h] = [width, height].map((length) => Math.max(1, Math.floor(length * factor)));
  return { x: x + Math.floor((width - w) / 2), y: y + Math.floor((height - h) / 2), width: w, height: h };
}
