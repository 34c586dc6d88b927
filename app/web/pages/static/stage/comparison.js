// Show two pictures in one place, before on the left and after on the right of a divider that can be dragged.

import { followGestures } from "./gestures.js";
import { View } from "./view.js";

const LARGEST_SPLIT = 80; // beyond, a preview is not cut from what is right of the divider alone
const PIXELATED_FROM = 2; // with so many CSS pixels for each, pixels show as squares
const STEPS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10, Home: -100, End: 100 };

export class Comparison {
  #view = new View();
  #stage;
  #frame;
  #before;
  #after;
  #preview;
  #divider;
  #split = 50; // in percent of what can be seen of the picture, so that the divider is always in view
  #onView;

  /**
   * @param {HTMLElement} stage holds #frame, with #before, #after and #preview, and #divider
   * @param {(view: View) => void} onView is called when place or scale of the pictures may have changed
   */
  constructor(stage, onView) {
    this.#stage = stage;
    this.#onView = onView;
    [this.#frame, this.#before, this.#after, this.#preview, this.#divider] = [
      "#frame", "#before", "#after", "#preview", "#divider",
    ].map((selector) => stage.querySelector(selector));
    followGestures(stage, this.#divider, this);
    this.#divider.addEventListener("keydown", (event) => this.#press(event));
    new ResizeObserver(() => {
      this.#view.resizeStage(stage.clientWidth, stage.clientHeight);
      this.#layOut();
    }).observe(stage);
  }

  /** Show the picture before; `image` is null if the browser cannot show it. A result that lies over it stays. */
  showBefore(image, alt) {
    this.#before.hidden = image === null;
    if (image) Object.assign(this.#before, { src: image.src, alt });
    if (image && this.#after.hidden) this.#view.showPicture(image.naturalWidth, image.naturalHeight);
    this.#showParts();
  }

  /**
   * Lay a result over the picture.
   *
   * @param {HTMLImageElement} image the decoded result, which sets the frame's size
   * @param {string} alt
   * @param {boolean} isStretched whether the picture fills the frame, or keeps its aspect ratio in it
   */
  showAfter(image, alt, isStretched) {
    Object.assign(this.#after, { src: image.src, alt, hidden: false });
    this.#preview.hidden = true;
    this.#before.classList.toggle("contained", !isStretched);
    this.#view.showPicture(image.naturalWidth, image.naturalHeight);
    this.#showParts();
  }

  /** Lay the result for a part of the picture, in its pixels, over the rest, until there is a whole one. */
  showPreview(image, { x, y, width, height }) {
    const { naturalWidth, naturalHeight } = this.#before;
    const percent = (share) => `${100 * share}%`;
    Object.assign(this.#preview.style, {
      left: percent(x / naturalWidth),
      top: percent(y / naturalHeight),
      width: percent(width / naturalWidth),
      height: percent(height / naturalHeight),
    });
    Object.assign(this.#preview, { src: image.src, hidden: false });
    this.#showParts();
  }

  removePreview() {
    this.#preview.hidden = true;
    this.#showParts();
  }

  /** Remove the result. */
  removeAfter() {
    this.#after.hidden = true;
    this.#preview.hidden = true;
    this.#before.classList.remove("contained");
    this.#showParts();
  }

  /** Mark what is shown as out of date, or as current. */
  set isBusy(busy) {
    this.#stage.classList.toggle("busy", busy);
    this.#stage.setAttribute("aria-busy", busy);
  }

  /** Show the picture before alone, as long as this is true. */
  set isPeeking(peeking) {
    this.#stage.classList.toggle("peeking", peeking && !this.#divider.hidden);
  }

  /** Whether a drag moves the pictures. */
  get canPan() {
    return this.#view.isCut;
  }

  /** Show the whole picture. */
  fit() {
    this.#view.fit();
    this.#layOut();
  }

  /** Set how many CSS pixels each pixel gets. */
  zoomTo(scale) {
    this.#view.zoomTo(scale);
    this.#layOut();
  }

  /** Multiply the scale; `point` of the stage stays where it is. Return whether the scale changed. */
  zoomBy(factor, point) {
    const before = this.#view.scale;
    this.#view.zoomTo(before * factor, point);
    this.#layOut();
    return this.#view.scale !== before;
  }

  /** Move the pictures. */
  panBy(x, y) {
    this.#view.panBy(x, y);
    this.#layOut();
  }

  /** Move the divider to a place in the stage. */
  moveDividerTo(x) {
    const { left, width } = this.#view.visible;
    this.#moveTo((100 * (x - left)) / width);
  }

  /** The pixels where a result can be seen, right of the divider if there is room: {x, y, width, height}. */
  get visiblePart() {
    const part = this.#view.part;
    const left = this.#split > LARGEST_SPLIT ? 0 : Math.floor((this.#split / 100) * part.width);
    return { ...part, x: part.x + left, width: part.width - left };
  }

  get #hasResult() {
    return !this.#after.hidden || !this.#preview.hidden;
  }

  #showParts() {
    this.#divider.hidden = !this.#hasResult || this.#before.hidden;
    this.#frame.hidden = !this.#hasResult && this.#before.hidden;
    if (this.#frame.hidden) this.#stage.removeAttribute("tabindex");
    else this.#stage.tabIndex = 0;
    this.#layOut();
  }

  #layOut() {
    const { frame, visible, scale, isCut } = this.#view;
    Object.assign(this.#frame.style, {
      width: `${frame.width}px`,
      height: `${frame.height}px`,
      transform: `translate(${frame.left}px, ${frame.top}px)`,
    });
    const x = visible.left + (this.#split / 100) * visible.width;
    Object.assign(this.#divider.style, { left: `${x}px`, top: `${visible.top}px`, height: `${visible.height}px` });
    this.#frame.style.setProperty("--split", this.#divider.hidden ? "0px" : `${x - frame.left}px`);
    this.#frame.classList.toggle("pixelated", scale >= PIXELATED_FROM);
    this.#stage.classList.toggle("cut", isCut);
    this.#divider.setAttribute("aria-valuenow", Math.round(this.#split));
    this.#divider.setAttribute("aria-valuetext", `${Math.round(this.#split)} % before, ${100 - Math.round(this.#split)} % after`);
    this.#onView(this.#view);
  }

  #press(event) {
    const step = STEPS[event.key];
    if (step === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    this.#moveTo(Math.round(this.#split) + step * (event.shiftKey && Math.abs(step) === 1 ? 10 : 1));
  }

  #moveTo(split) {
    this.#split = Math.min(100, Math.max(0, split));
    this.#layOut();
  }
}
