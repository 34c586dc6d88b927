// The sample pictures that come with the page.

/** `sigma` is the noise level (8-bit scale) that is added when a sample is opened; null for one with noise of its own. */
export const SAMPLES = [
  { file: "seven.svg", label: "a seven, 28 × 28", isDigit: true, sigma: 102 },
  { file: "three.svg", label: "a three, 28 × 28", isDigit: true, sigma: 102 },
  { file: "paper.svg", label: "a two on paper", isDigit: true, sigma: null },
  { file: "camera.png", label: "a photographer, gray", isDigit: false, sigma: 25 },
  { file: "cat.jpg", label: "a cat, in colour", isDigit: false, sigma: 25 },
];

/** Return the address of a sample's file. */
export function sampleAddress(sample) {
  return `static/samples/${sample.file}`;
}

/** Show a button for each sample. */
export function offerSamples(group, samples, open) {
  group.replaceChildren(
    ...samples.map((sample) => {
      const button = Object.assign(document.createElement("button"), { type: "button", title: sample.label });
      button.append(Object.assign(new Image(56, 56), { src: sampleAddress(sample), alt: sample.label }));
      button.addEventListener("click", () => open(sample));
      return button;
    }),
  );
}
