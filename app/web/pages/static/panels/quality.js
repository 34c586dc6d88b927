// How far the noisy and the denoised picture are from the clean one, where that is known.

import { psnr } from "../picture/noise.js";
import { readPixels } from "../picture/picture.js";
import { drawFacts, formatDb } from "./report.js";

/** Show it in `list`, and return it as a sentence; `reason` says why the result cannot be compared, if it cannot. */
export function showQuality(list, { clean, noisy }, image, reason = null) {
  list.hidden = !clean;
  if (!clean) return "";
  const before = psnr(clean, noisy);
  const isOfSize = image.naturalWidth === clean.width && image.naturalHeight === clean.height;
  if (!isOfSize || reason) {
    drawFacts(list, [["PSNR, noisy", formatDb(before)], ["Denoised", `not comparable: ${isOfSize ? reason : "its size differs"}`]]);
    return "";
  }
  const after = psnr(clean, readPixels(image, clean.channels));
  const gain = after - before;
  drawFacts(list, [
    ["PSNR, noisy", formatDb(before)],
    ["PSNR, denoised", formatDb(after)],
    [gain < 0 ? "Lost" : "Gained", Number.isFinite(gain) ? formatDb(Math.abs(gain)) : null],
  ]);
  return `PSNR ${formatDb(before)} before, ${formatDb(after)} after.`;
}
