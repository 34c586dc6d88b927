// The same call as code, in a language of one's choice, to copy.

import { $ } from "../dom.js";
import { storedKey } from "../service/key.js";
import { writeSnippet } from "../service/snippets.js";

export class CodePanel {
  #language = "curl";
  #call = null;

  constructor() {
    $("languages").addEventListener("click", ({ target }) => {
      if (target.value) this.#choose(target);
    });
    $("copy-snippet").addEventListener("click", () => this.#copy());
  }

  /** Show code for a picture with this file name. */
  show(name, query) {
    this.#call = { name, query };
    $("snippet").textContent = writeSnippet(this.#language, name, query, storedKey() !== null);
    $("copy-snippet").textContent = "Copy";
  }

  #choose(chosen) {
    this.#language = chosen.value;
    for (const button of $("languages").children) button.setAttribute("aria-pressed", button === chosen);
    if (this.#call) this.show(this.#call.name, this.#call.query);
  }

  async #copy() {
    const text = $("snippet").textContent;
    getSelection().selectAllChildren($("snippet")); // if the clipboard is not accessible, Ctrl+C copies the selection
    const isCopied = await Promise.resolve(navigator.clipboard?.writeText(text).then(() => true)).catch(() => false);
    $("copy-snippet").textContent = isCopied ? "Copied" : "Selected: press Ctrl+C";
  }
}
