// Add synthetic noise to a clean picture, and measure how far a picture is from the clean one.

/** Add Gaussian noise of standard deviation `sigma` (8-bit scale) to each channel, clipped to 0-255 and rounded. */
export function addNoise(pixels, sigma, seed) {
  const draw = gaussian(seed);
  return { ...pixels, levels: pixels.levels.map((level) => level + sigma * draw()) }; // the array clips and rounds
}

/** Return the PSNR, in dB, of two pictures of one shape; Infinity if they are equal. */
export function psnr(one, other) {
  let sum = 0;
  for (let at = 0; at < one.levels.length; at++) sum += (one.levels[at] - other.levels[at]) ** 2;
  return 10 * Math.log10((255 ** 2 * one.levels.length) / sum);
}

/** Return a function that draws standard normal numbers by the method of Box and Muller (1958). */
function gaussian(seed) {
  const draw = uniform(seed);
  let spare = null;
  return () => {
    if (spare !== null) {
      const second = spare;
      spare = null;
      return second;
    }
    const radius = Math.sqrt(-2 * Math.log(draw()));
    const angle = 2 * Math.PI * draw();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}

/** Return a function that draws from (0, 1) by Marsaglia's xorshift (J. Stat. Software 8(14), 2003), fixed by the seed. */
function uniform(seed) {
  let state = Math.imul(seed, 0x9e3779b1) | 1; // spreads neighbouring seeds apart; never 0
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return ((state >>> 0) + 0.5) / 2 ** 32;
  };
  for (let skipped = 0; skipped < 16; skipped++) next();
  return next;
}
