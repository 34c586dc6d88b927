// What went wrong, where the pictures are; a service that wants a key gets a form to give it.

import { $ } from "../dom.js";
import { storedKey, storeKey } from "../service/key.js";
import { hideProblem, showProblem } from "../service/problem.js";

export class Failure {
  /** @param {() => void} retry is called when a key was given */
  constructor(retry) {
    $("key-form").addEventListener("submit", (event) => {
      event.preventDefault();
      storeKey($("key").value);
      $("key").value = "";
      retry();
    });
  }

  /** Show an error, or ask for a key if that is what is wrong. */
  show(error) {
    this.hide();
    const isForbidden = error.status === 403 && storedKey() !== null;
    if (error.status === 401 || isForbidden) return this.#ask(isForbidden ? error.detail : null);
    showProblem($("problem"), error);
    $("problem").scrollIntoView({ block: "nearest" });
  }

  /** Remove what was shown. */
  hide() {
    hideProblem($("problem"));
    $("key-form").hidden = true;
  }

  #ask(reason) {
    $("key-reason").textContent = reason ?? (storedKey() ? "The key was refused." : "This service wants a key.");
    $("key-form").hidden = false;
    storeKey(null);
    $("key").focus();
  }
}
