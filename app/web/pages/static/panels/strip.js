// A strip of thumbnails, one for each of several pictures, with what became of it.

const THUMB_PX = 96;
const MARKS = { waiting: "", working: "…", done: "✓", failed: "!" };

export class Strip {
  #place;
  #select;
  #buttons = new Map();

  /** @param {HTMLElement} place @param {(item: Item) => void} select is called with the picture that is to be shown */
  constructor(place, select) {
    this.#place = place;
    this.#select = select;
  }

  /** Show the pictures of a tray. */
  draw(tray) {
    this.#place.hidden = tray.items.length < 2;
    if (tray.items.some((item) => !this.#buttons.has(item)) || tray.items.length !== this.#buttons.size) this.#fill(tray.items);
    for (const [item, button] of this.#buttons) {
      const state = tray.stateOf(item);
      button.dataset.state = state;
      button.querySelector(".mark-of-state").textContent = MARKS[state];
      button.setAttribute("aria-label", `${item.name}, ${state}`);
      button.setAttribute("aria-pressed", item === tray.selected);
    }
  }

  #fill(items) {
    this.#buttons = new Map(items.map((item) => [item, this.#makeButton(item)]));
    this.#place.replaceChildren(...this.#buttons.values());
    if (items.length > 1) drawThumbnails(this.#buttons);
  }

  #makeButton(item) {
    const button = Object.assign(document.createElement("button"), { type: "button", title: item.name });
    const ending = Object.assign(document.createElement("span"), { textContent: item.name.split(".").pop().slice(0, 5) });
    const mark = Object.assign(document.createElement("span"), { className: "mark-of-state" });
    button.append(ending, mark);
    button.addEventListener("click", () => this.#select(item));
    return button;
  }
}

/** Draw one after the other, so that only one large picture is held at a time; what cannot be read keeps its ending. */
async function drawThumbnails(buttons) {
  for (const [item, button] of buttons) {
    const bitmap = await createImageBitmap(item.blob).catch(() => null);
    if (!bitmap) continue;
    item.size = { width: bitmap.width, height: bitmap.height };
    const canvas = Object.assign(document.createElement("canvas"), { width: THUMB_PX, height: THUMB_PX });
    const factor = THUMB_PX / Math.min(bitmap.width, bitmap.height);
    const [width, height] = [bitmap.width * factor, bitmap.height * factor];
    canvas.getContext("2d").drawImage(bitmap, (THUMB_PX - width) / 2, (THUMB_PX - height) / 2, width, height);
    bitmap.close();
    button.firstChild.replaceWith(canvas);
  }
}
