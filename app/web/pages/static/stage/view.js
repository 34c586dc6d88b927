// Where the picture lies in the stage: how large its pixels are shown, and which of its points is in the middle.

const LARGEST_SCALE = 32;
const LARGEST_BEYOND_FIT = 4; // of a picture so small that it fits at more than that

/** Geometry alone: sizes and places are CSS pixels of the stage, unless a name says otherwise. */
export class View {
  #stage = { width: 1, height: 1 };
  #picture = { width: 1, height: 1 };
  #scale = 1;
  #centre = { x: 0.5, y: 0.5 }; // shares of the picture's width and height
  #isFitted = true;

  /** How many CSS pixels each pixel of the picture gets. */
  get scale() {
    return this.#scale;
  }

  /** Whether the picture fits the stage, and keeps doing so when either changes. */
  get isFitted() {
    return this.#isFitted;
  }

  /** Whether a part of the picture lies outside of the stage. */
  get isCut() {
    const { width, height } = this.frame;
    return width > this.#stage.width + 0.5 || height > this.#stage.height + 0.5;
  }

  /** The whole picture's place: {left, top, width, height}. */
  get frame() {
    const [width, height] = [this.#picture.width * this.#scale, this.#picture.height * this.#scale];
    return {
      left: this.#stage.width / 2 - this.#centre.x * width,
      top: this.#stage.height / 2 - this.#centre.y * height,
      width,
      height,
    };
  }

  /** The place of what can be seen of the picture: {left, top, width, height}. */
  get visible() {
    const { left, top, width, height } = this.frame;
    const [x, y] = [Math.max(0, left), Math.max(0, top)];
    return {
      left: x,
      top: y,
      width: Math.min(this.#stage.width, left + width) - x,
      height: Math.min(this.#stage.height, top + height) - y,
    };
  }

  /** What can be seen of the picture, in its pixels: {x, y, width, height}. */
  get part() {
    const { frame, visible } = this;
    const [x, y] = [(visible.left - frame.left) / this.#scale, (visible.top - frame.top) / this.#scale].map(Math.floor);
    return {
      x,
      y,
      width: Math.min(this.#picture.width - x, Math.ceil(visible.width / this.#scale)),
      height: Math.min(this.#picture.height - y, Math.ceil(visible.height / this.#scale)),
    };
  }

  /** Give the stage a new size; the point in its middle stays there. */
  resizeStage(width, height) {
    this.#stage = { width, height };
    this.#settle();
  }

  /** Show a picture of another size, in pixels, in the place of the one before. */
  showPicture(width, height) {
    const before = this.#picture;
    this.#picture = { width, height };
    this.#scale *= before.width / width;
    this.#settle();
  }

  /** Let the picture fit the stage. */
  fit() {
    this.#isFitted = true;
    this.#centre = { x: 0.5, y: 0.5 };
    this.#settle();
  }

  /** Set the scale; `point` of the stage keeps showing the same part of the picture, by default its middle. */
  zoomTo(scale, point = { x: this.#stage.width / 2, y: this.#stage.height / 2 }) {
    const before = this.frame;
    const share = { x: (point.x - before.left) / before.width, y: (point.y - before.top) / before.height };
    this.#scale = Math.min(this.#largest, Math.max(this.#smallest, scale));
    this.#isFitted = this.#scale === this.#fitting;
    const { width, height } = this.frame;
    this.#centre = {
      x: share.x + (this.#stage.width / 2 - point.x) / width,
      y: share.y + (this.#stage.height / 2 - point.y) / height,
    };
    this.#settle();
  }

  /** Move the picture. */
  panBy(x, y) {
    const { width, height } = this.frame;
    this.#centre = { x: this.#centre.x - x / width, y: this.#centre.y - y / height };
    this.#settle();
  }

  get #smallest() {
    return Math.min(1, this.#fitting);
  }

  get #largest() {
    return Math.max(LARGEST_SCALE, LARGEST_BEYOND_FIT * this.#fitting);
  }

  /** The scale at which the picture fits: a small one is enlarged by a whole number. */
  get #fitting() {
    const scale = Math.min(this.#stage.width / this.#picture.width, this.#stage.height / this.#picture.height);
    return scale < 1 ? scale : Math.floor(scale);
  }

  /** Keep the scale in its range, and the picture over as much of the stage as it can cover. */
  #settle() {
    this.#scale = this.#isFitted ? this.#fitting : Math.min(this.#largest, Math.max(this.#smallest, this.#scale));
    const { width, height } = this.frame;
    this.#centre = {
      x: clampCentre(this.#centre.x, this.#stage.width / width),
      y: clampCentre(this.#centre.y, this.#stage.height / height),
    };
  }
}

/** `share` is how much of the picture's length the stage can show. */
function clampCentre(centre, share) {
  return share >= 1 ? 0.5 : Math.min(1 - share / 2, Math.max(share / 2, centre));
}
