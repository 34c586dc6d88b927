// The controls that a network supports, and the query that they make.

const DEFAULTS = {
  fit: "stretch",
  polarity: "auto",
  output_size: "model",
  noise_level: "auto",
  strength: "1",
  bit_depth: "8",
  color: "keep",
};

/** Return whether a model of /v1/models takes pictures of only one size. */
export function hasFixedSize(model) {
  return model.input.height !== null;
}

/** The controls of the form, for one model at a time. */
export class Settings {
  #form;
  #default;

  /** The entries of all models, the default first. */
  models;

  /** @param {HTMLFormElement} form @param {{default: string, models: object[]}} list the response of /v1/models */
  constructor(form, list) {
    this.#form = form;
    this.#default = list.default;
    const isDefault = ({ name }) => name === list.default;
    this.models = [...list.models.filter(isDefault), ...list.models.filter((model) => !isDefault(model))];
    form.model.replaceChildren(...this.models.map(({ name }) => new Option(name)));
    form.addEventListener("input", () => this.#showValues());
    this.#control("noise_level-auto").addEventListener("input", () => this.#showValues());
    this.choose(list.default);
  }

  /** The chosen model's entry. */
  get model() {
    return this.models.find(({ name }) => name === this.#form.model.value);
  }

  /** The chosen version. */
  get version() {
    return Number(this.#form.version.value);
  }

  /** Show one model and the controls that it supports. */
  choose(name) {
    this.#form.model.value = name;
    const { model } = this;
    const versions = [...model.versions].reverse().map((version) => new Option(version));
    this.#form.version.replaceChildren(...versions);
    const takes = this.#taken();
    for (const field of this.#form.querySelectorAll("[data-parameter]")) {
      field.hidden = !takes.has(field.dataset.parameter);
    }
    if (model.noise_level) this.#form.noise_level.max = Math.round(255 * model.noise_level.max);
    this.#control("description").textContent = model.description.replace(/\.?$/, ".");
    this.#showValues();
  }

  /** Choose what suits a picture of this size; an unknown size counts as different from the network's. */
  suggest(width, height) {
    const { height: networkHeight, width: networkWidth, polarity } = this.model.input;
    const isOfSize = width === networkWidth && height === networkHeight;
    const isMnist = networkHeight === 28 && networkWidth === 28 && polarity !== null;
    this.#form.fit.value = isOfSize ? "stretch" : isMnist ? "mnist" : "pad";
    this.#form.output_size.value = isOfSize ? "model" : "original";
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
