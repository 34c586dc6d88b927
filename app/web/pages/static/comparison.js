// Show two pictures in one frame, before on the left and after on the right of a divider that can be dragged.

const LARGEST_ENLARGED_PX = 560; // a small picture is enlarged to at most this height
const PIXELATED_FROM = 2; // with so many screen pixels for each, pixels show as squares
const STEPS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10, Home: -100, End: 100 };

export class Comparison {
  #stage;
  #frame;
  #before;
  #after;
  #divider;
  #size = [1, 1];
  #zoom = "fit";
  #split = 50;

  /** @param {HTMLElement} stage holds .frame with #before, #after and #divider */
  constructor(stage) {
    this.#stage = stage;
    [this.#frame, this.#before, this.#after, this.#divider] = ["#frame", "#before", "#after", "#divider"].map((selector) =>
      stage.querySelector(selector),
    );
    this.#frame.addEventListener("pointerdown", (event) => this.#startDrag(event));
    this.#frame.addEventListener("pointermove", (event) => this.#drag(event));
    this.#divider.addEventListener("keydown", (event) => this.#press(event));
    new ResizeObserver(() => this.#layOut()).observe(stage);
    this.#moveTo(50);
  }

  /** Show the picture before; `image` is null if the browser cannot show it. A result that lies over it stays. */
  showBefore(image, alt) {
    this.#before.hidden = image === null;
    if (image) this.#setImage(this.#before, image.src, alt);
    if (image && this.#after.hidden) this.#size = [image.naturalWidth, image.naturalHeight];
    this.#setAfterVisible(!this.#after.hidden);
  }

  /** Remove the result. */
  removeAfter() {
    this.#setAfterVisible(false);
  }

  /**
   * Lay a result over the picture.
   *
   * @param {HTMLImageElement} image the decoded result, which sets the frame's size
   * @param {string} alt
   * @param {boolean} isStretched whether the picture fills the frame, or keeps its aspect ratio in it
   */
  showAfter(image, alt, isStretched) {
    this.#setImage(this.#after, image.src, alt);
    this.#before.classList.toggle("contained", !isStretched);
    this.#size = [image.naturalWidth, image.naturalHeight];
    this.#setAfterVisible(true);
  }

  /** Mark what is shown as out of date, or as current. */
  set isBusy(busy) {
    this.#stage.classList.toggle("busy", busy);
    this.#stage.setAttribute("aria-busy", busy);
  }

  /** Set the zoom: "fit", or how many screen pixels each pixel of the picture gets. */
  set zoom(zoom) {
    this.#zoom = zoom;
    this.#layOut();
  }

  #setImage(element, url, alt) {
    element.src = url;
    element.alt = alt;
  }

  #setAfterVisible(isVisible) {
    this.#after.hidden = !isVisible;
    this.#divider.hidden = !isVisible || this.#before.hidden;
    this.#frame.hidden = !isVisible && this.#before.hidden;
    if (!isVisible) this.#before.classList.remove("contained");
    this.#moveTo(this.#split);
    this.#layOut();
  }

  #layOut() {
    const [width, height] = this.#size;
    const scale = this.#zoom === "fit" ? this.#fittingScale(width, height) : Number(this.#zoom);
    this.#frame.style.width = `${Math.max(1, Math.round(width * scale))}px`;
    this.#frame.style.height = `${Math.max(1, Math.round(height * scale))}px`;
    this.#frame.classList.toggle("pixelated", scale >= PIXELATED_FROM);
    const isZoomed = this.#zoom !== "fit";
    this.#stage.classList.toggle("zoomed", isZoomed);
    if (isZoomed) this.#stage.tabIndex = 0; // so that the keyboard can scroll it
    else this.#stage.removeAttribute("tabindex");
  }

  #fittingScale(width, height) {
    const style = getComputedStyle(this.#stage);
    const room = this.#stage.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const scale = Math.min(room / width, Math.max(280, 0.7 * window.innerHeight) / height);
    if (scale < 2) return Math.min(scale, 1);
    return Math.floor(Math.max(1, Math.min(scale, LARGEST_ENLARGED_PX / height)));
  }

  #startDrag(event) {
    if (this.#divider.hidden || event.button !== 0) return;
    // A finger scrolls an enlarged picture; it moves the divider only by its handle.
    if (event.pointerType === "touch" && this.#zoom !== "fit" && event.target !== this.#divider) return;
    event.preventDefault();
    this.#frame.setPointerCapture(event.pointerId);
    this.#divider.focus({ preventScroll: true });
    this.#drag(event);
  }

  #drag(event) {
    if (!this.#frame.hasPointerCapture(event.pointerId)) return;
    const { left, width } = this.#frame.getBoundingClientRect();
    this.#moveTo((100 * (event.clientX - left)) / width);
  }

  #press(event) {
    const step = STEPS[event.key];
    if (step === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    this.#moveTo(Math.round(this.#split) + step * (event.shiftKey && Math.abs(step) === 1 ? 10 : 1));
  }

  #moveTo(split) {
    this.#split = Math.min(100, Math.max(0, split));
    const hasBoth = !this.#divider.hidden;
    this.#frame.style.setProperty("--split", `${hasBoth ? this.#split : this.#after.hidden ? 100 : 0}%`);
    this.#divider.setAttribute("aria-valuenow", Math.round(this.#split));
    this.#divider.setAttribute("aria-valuetext", `${Math.round(this.#split)} % before, ${100 - Math.round(this.#split)} % after`);
  }
}
