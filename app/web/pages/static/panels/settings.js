// The controls that a network supports, and the query that they make.

import { AUTO, hasFixedSize, suitableModel } from "../service/models.js";

const DEFAULTS = {
  fit: "stretch",
  polarity: "auto",
  output_size: "model",
  noise_level: "auto",
  strength: "1",
  bit_depth: "8",
  color: "keep",
};

/** The controls of the form, for one model at a time. */
export class Settings {
  #form;
  #default;
  #size = null;

  /** The entries of all models, the default first. */
  models;

  /** @param {HTMLFormElement} form @param {{default: string, models: object[]}} list the response of /v1/models */
  constructor(form, list) {
    this.#form = form;
    this.#default = list.default;
    const isDefault = ({ name }) => name === list.default;
    this.models = [...list.models.filter(isDefault), ...list.models.filter((model) => !isDefault(model))];
    const names = this.models.map(({ name }) => new Option(name));
    form.model.replaceChildren(new Option("auto: what suits the picture", AUTO), ...names);
    form.addEventListener("input", () => this.#showValues());
    this.#control("noise_level-auto").addEventListener("input", () => this.#showValues());
    this.choose(AUTO);
  }

  /** Whether the picture decides which model is used. */
  get isAuto() {
    return this.#form.model.value === AUTO;
  }

  /** The entry of the model that is used. */
  get model() {
    if (this.isAuto) return suitableModel(this.models, this.#size);
    return this.models.find(({ name }) => name === this.#form.model.value);
  }

  /** The version that is used. */
  get version() {
    return Number(this.#form.version.value);
  }

  /** Choose a model, or AUTO, and what suits the picture. */
  choose(name) {
    this.#form.model.value = name;
    this.suit(this.#size);
  }

  /** Choose what suits a picture of this size; null is an unknown one, which counts as different from the network's. */
  suit(size) {
    this.#size = size;
    const { height, width, polarity } = this.model.input;
    const isOfSize = size?.width === width && size?.height === height;
    const isMnist = height === 28 && width === 28 && polarity !== null;
    this.#form.fit.value = isOfSize ? "stretch" : isMnist ? "mnist" : "pad";
    this.#form.output_size.value = isOfSize ? "model" : "original";
    this.#showControls();
  }

  #showControls() {
    const { model } = this;
    const versions = [...model.versions].reverse().map((version) => new Option(version));
    this.#form.version.replaceChildren(...versions);
    const takes = this.#taken();
    for (const field of this.#form.querySelectorAll("[data-parameter]")) {
      field.hidden = !takes.has(field.dataset.parameter);
    }
    this.#control("version-field").hidden = this.isAuto;
    if (model.noise_level) this.#form.noise_level.max = Math.round(255 * model.noise_level.max);
    this.#control("description").textContent = model.description.replace(/\.?$/, ".");
    this.#showValues();
  }

  /** Return the value of a parameter, or null if the model does not take it. */
  get(parameter) {
    if (!this.#taken().has(parameter)) return null;
    if (parameter === "noise_level" && this.#control("noise_level-auto").checked) return "auto";
    return this.#form[parameter].value;
  }

  /** Return the query of /v1/denoise, without parameters that have their default values. */
  query() {
    const { model, version } = this;
    const query = new URLSearchParams();
    if (model.name !== this.#default) query.set("model", model.name);
    if (version !== Math.max(...model.versions)) query.set("version", version);
    for (const [parameter, standard] of Object.entries(DEFAULTS)) {
      const value = this.get(parameter);
      if (value !== null && value !== standard) query.set(parameter, value);
    }
    return query;
  }

  #taken() {
    const { input, noise_level: noiseLevel } = this.model;
    return new Set([
      ...(hasFixedSize(this.model) ? ["fit", "output_size"] : ["bit_depth", "color"]),
      ...(input.polarity === null ? [] : ["polarity"]),
      ...(noiseLevel === null ? [] : ["noise_level", "strength"]),
    ]);
  }

  #showValues() {
    const isEstimated = this.#control("noise_level-auto").checked;
    this.#form.noise_level.disabled = isEstimated;
    this.#control("noise_level-value").textContent = isEstimated ? "" : `σ ${this.#form.noise_level.value} of 255`;
    this.#control("strength-value").textContent = Number(this.#form.strength.value).toFixed(2);
    this.#control("card").href = `models/${encodeURIComponent(this.model.name)}/${this.version}`;
  }

  #control(id) {
    return this.#form.querySelector(`#${id}`);
  }
}
