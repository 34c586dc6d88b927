// Which network suits a picture, as the service's model=auto judges it.

export const AUTO = "auto";
export const LARGEST_SMALL_PX = 64; // pictures up to this width and height are for the default network

/** Return whether a model of /v1/models takes pictures of only one size. */
export function hasFixedSize(model) {
  return model.input.height !== null;
}

/** Return whether a picture is known to be small. */
export function isSmall(size) {
  return size !== null && Math.max(size.width, size.height) <= LARGEST_SMALL_PX;
}

/**
 * Return the model for a picture: the default for a small one, else the one of any size.
 *
 * @param {object[]} models entries of /v1/models, the default first
 * @param {?{width: number, height: number}} size null if unknown: most files that a browser cannot show are scans
 */
export function suitableModel(models, size) {
  if (isSmall(size)) return models[0];
  const ofAnySize = models.filter((model) => !hasFixedSize(model)).sort((one, other) => (one.name < other.name ? -1 : 1));
  return ofAnySize.find(({ name }) => name === "photo") ?? ofAnySize[0] ?? models[0];
}
