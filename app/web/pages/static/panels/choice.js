// Say which network is used for the picture and why, and offer one of the other kind.

import { hasFixedSize } from "../service/models.js";

/**
 * @param {{place: HTMLElement, reason: HTMLElement, other: HTMLButtonElement}} parts the button's value is a model's name
 * @param {Settings} settings
 * @param {?{width: number, height: number}} size of the picture, null if unknown
 */
export function showChoice({ place, reason, other }, { model, isAuto, models }, size) {
  const offered = hasFixedSize(model) ? models.large : models.small;
  const isOffered = hasFixedSize(offered) !== hasFixedSize(model);
  const isShrunk = hasFixedSize(model) && !models.isSmall(size);
  place.hidden = !isAuto && !(isShrunk && isOffered);
  reason.textContent = isAuto
    ? reasonFor(model, models, size)
    : `${model.name} shrinks it to ${describeSize(model.input)} pixels.`;
  other.hidden = !isOffered;
  other.textContent = hasFixedSize(model) ? `Keep its size: use ${offered.name}` : `Use ${offered.name} instead`;
  other.value = offered.name;
}

/** Return text like "640 × 480", with no line break inside. */
export function describeSize({ width, height }) {
  return `${width}\u00a0×\u00a0${height}`;
}

function reasonFor({ name }, models, size) {
  if (!size) return `Chosen: ${name}.`;
  const extent = models.isSmall(size) ? "has at most" : "is larger than";
  const limit = { width: models.smallSidePx, height: models.smallSidePx };
  return `Chosen: ${name}, since the picture ${extent} ${describeSize(limit)} pixels.`;
}
