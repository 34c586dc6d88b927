// Which network suits a picture, as the service's model=auto judges it.

export const AUTO = "auto";

/** Return whether a model of /v1/models takes pictures of only one size. */
export function hasFixedSize(model) {
  return model.input.height !== null;
}

/** What /v1/models lists: the models, which one is the default, and which ones model=auto chooses from. */
export class Models {
  #smallSidePx;

  /** @param {object} list the response of /v1/models */
  constructor({ default: standard, auto, models }) {
    this.all = models;
    this.default = standard; // a name, or AUTO
    this.small = this.find(auto.small);
    this.large = this.find(auto.large);
    this.#smallSidePx = auto.small_side_px;
  }

  /** The largest width and height of a small picture. */
  get smallSidePx() {
    return this.#smallSidePx;
  }

  /** Return the model of a name. */
  find(name) {
    return this.all.find((model) => model.name === name);
  }

  /** Return whether a picture is known to be small; null is an unknown size. */
  isSmall(size) {
    return size !== null && Math.max(size.width, size.height) <= this.#smallSidePx;
  }

  /** Return the model that auto chooses for a picture. */
  choose(size) {
    return this.isSmall(size) ? this.small : this.large;
  }
}
