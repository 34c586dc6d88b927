// Wait for a time, unless a signal ends that.

/** @param {number} milliseconds @param {AbortSignal} signal @returns {Promise<void>} rejected if the signal comes first */
export function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => (clearTimeout(timer), reject(signal.reason)), { once: true });
  });
}
