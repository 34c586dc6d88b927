// The controls that a network supports, and the query that they make.

import { AUTO, hasFixedSize } from "../service/models.js";

const DEFAULTS = {
  fit: "stretch",
  polarity: "auto",
  output_size: "model",
  noise_level: "auto",
  strength: "1",
  bit_depth: "8",
  color: "keep",
  format: "png",
  quality: "90",
};
const SUITED = ["fit", "output_size"]; // depend on the picture, unless they were chosen
const OF_ANY = ["model", "version", ...Object.keys(DEFAULTS)];

/** The controls of the form, for one picture at a time. */
export class Settings {
  #form;
  #size = null;
  #estimate = null; // of the noise level
  #chosen = new Map(); // what the person has chosen of SUITED

  /** What /v1/models lists. */
  models;

  /** @param {HTMLFormElement} form @param {Models} models @param {URLSearchParams} remembered as of `address` */
  constructor(form, models, remembered) {
    this.#form = form;
    this.models = models;
    form.model.replaceChildren(
      new Option("auto: what suits the picture", AUTO),
      ...models.all.map(({ name }) => new Option(name)),
    );
    form.addEventListener("input", ({ target }) => this.#note(target));
    this.#recall(remembered);
  }

  /** Whether the picture decides which model is used. */
  get isAuto() {
    return this.#form.model.value === AUTO;
  }

  /** The entry of the model that is used for the picture that is shown. */
  get model() {
    return this.#modelFor(this.#size);
  }

  /** Choose a model, or AUTO, and what suits the picture. */
  choose(name) {
    this.#form.model.value = name;
    this.#form.version.replaceChildren();
    this.#chosen.clear();
    this.suit(this.#size);
  }

  /** Show what suits a picture of this size; null is an unknown one, which counts as different from the network's. */
  suit(size) {
    this.#size = size;
    this.#estimate = null;
    for (const parameter of SUITED) this.#form[parameter].value = this.#chosen.get(parameter) ?? suited(parameter, this.model, size);
    this.#showControls();
  }

  /** Let the slider start from an estimate (8-bit scale), unless another level was chosen. */
  showEstimate(noiseLevel) {
    this.#estimate = noiseLevel;
    if (this.get("noise_level") === "auto") this.#form.noise_level.value = noiseLevel;
    this.#showValues();
  }

  /** Set the noise level (8-bit scale) in place of the estimate. */
  setNoiseLevel(noiseLevel) {
    this.#control("noise_level-auto").checked = false;
    this.#form.noise_level.value = noiseLevel;
    this.#showValues();
  }

  /** Return the value of a parameter, or null if the model does not take it. */
  get(parameter) {
    return this.#get(parameter, this.model, this.#size);
  }

  /** Return the query of /v1/denoise for a picture, by default the one that is shown, without what is the default. */
  query(size = this.#size) {
    const model = this.#modelFor(size);
    const query = new URLSearchParams();
    const name = this.#form.model.value;
    if (name !== this.models.default) query.set("model", name);
    if (!this.isAuto && this.version !== Math.max(...model.versions)) query.set("version", this.version);
    for (const [parameter, standard] of Object.entries(DEFAULTS)) {
      const value = this.#get(parameter, model, size);
      if (value !== null && value !== standard) query.set(parameter, value);
    }
    return query;
  }

  /** What the person has chosen, whatever the picture: the constructor takes it to restore that. */
  get address() {
    const address = new URLSearchParams();
    if (!this.isAuto) address.set("model", this.#form.model.value);
    if (!this.isAuto && this.version !== Math.max(...this.model.versions)) address.set("version", this.version);
    for (const [parameter, standard] of Object.entries(DEFAULTS)) {
      const value = SUITED.includes(parameter) ? this.#chosen.get(parameter) : this.#value(parameter);
      if (value !== undefined && (value !== standard || SUITED.includes(parameter))) address.set(parameter, value);
    }
    return address;
  }

  /** The version that is used. */
  get version() {
    return Number(this.#form.version.value);
  }

  #modelFor(size) {
    return this.isAuto ? this.models.choose(size) : this.models.find(this.#form.model.value);
  }

  #get(parameter, model, size) {
    if (!this.#taken(model).has(parameter)) return null;
    if (SUITED.includes(parameter)) return this.#chosen.get(parameter) ?? suited(parameter, model, size);
    return this.#value(parameter);
  }

  #value(parameter) {
    if (parameter === "noise_level" && this.#control("noise_level-auto").checked) return "auto";
    return this.#form[parameter].value;
  }

  #taken({ input, noise_level: noiseLevel }) {
    const isLossless = this.#form.format.value === "png";
    return new Set([
      "format",
      ...(isLossless ? [] : ["quality"]),
      ...(input.height !== null ? SUITED : ["color"]),
      ...(input.height === null && isLossless ? ["bit_depth"] : []),
      ...(input.polarity === null ? [] : ["polarity"]),
      ...(noiseLevel === null ? [] : ["noise_level", "strength"]),
    ]);
  }

  /** Restore what was chosen; what does not exist here any more is left out. */
  #recall(remembered) {
    const name = remembered.get("model");
    this.#form.model.value = this.models.find(name) ? name : AUTO;
    this.#showControls();
    for (const [parameter, value] of remembered) {
      const control = OF_ANY.includes(parameter) ? this.#form[parameter] : null;
      if (!control || parameter === "model") continue;
      if (control.options && ![...control.options].some((option) => option.value === value)) continue;
      if (!control.options && !Number.isFinite(Number(value))) continue;
      control.value = value;
      if (SUITED.includes(parameter)) this.#chosen.set(parameter, value);
      if (parameter === "noise_level") this.#control("noise_level-auto").checked = false;
    }
    this.suit(null);
  }

  #note({ name, value }) {
    if (SUITED.includes(name)) this.#chosen.set(name, value);
    if (name === "noise_level") this.#control("noise_level-auto").checked = false;
    this.#showControls();
  }

  #showControls() {
    const { model } = this;
    if (this.#form.version.dataset.model !== model.name || this.#form.version.options.length === 0) {
      this.#form.version.replaceChildren(...[...model.versions].reverse().map((version) => new Option(version)));
      this.#form.version.dataset.model = model.name;
    }
    const takes = this.#taken(model);
    for (const field of this.#form.querySelectorAll("[data-parameter]")) {
      field.hidden = !takes.has(field.dataset.parameter);
    }
    this.#control("version-field").hidden = this.isAuto;
    if (model.noise_level) this.#form.noise_level.max = Math.round(255 * model.noise_level.max);
    this.#control("description").textContent = model.description.replace(/\.?$/, ".");
    this.#showValues();
  }

  #showValues() {
    const isEstimated = this.#control("noise_level-auto").checked;
    const noiseLevel = isEstimated ? this.#estimate : this.#form.noise_level.value;
    this.#control("noise_level-value").textContent = noiseLevel === null ? "" : `σ ${noiseLevel} of 255`;
    this.#control("strength-value").textContent = Number(this.#form.strength.value).toFixed(2);
    this.#control("quality-value").textContent = this.#form.quality.value;
    this.#control("card").href = `models/${encodeURIComponent(this.model.name)}/${this.version}`;
  }

  #control(id) {
    return this.#form.querySelector(`#${id}`);
  }
}

/** Return the value of a parameter of SUITED that suits a picture. */
function suited(parameter, { input: { height, width, polarity } }, size) {
  const isOfSize = size?.width === width && size?.height === height;
  const isMnist = height === 28 && width === 28 && polarity !== null;
  if (parameter === "output_size") return isOfSize ? "model" : "original";
  return isOfSize ? "stretch" : isMnist ? "mnist" : "pad";
}
