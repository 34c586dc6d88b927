// Send a request again as often as a busy service asks for it.

import { pause } from "../pause.js";

export const TRIES = 6;
const LONGEST_PAUSE_S = 30;

/**
 * @template T
 * @param {() => Promise<T>} call
 * @param {AbortSignal} signal ends the waiting
 * @param {(problem: Problem) => boolean} isWorthIt whether to wait, where the service names a time
 * @returns {Promise<T>}
 */
export async function insist(call, signal, isWorthIt) {
  for (let tries = 1; ; tries++) {
    try {
      return await call();
    } catch (error) {
      if (tries === TRIES || !error.retryAfter || !isWorthIt(error)) throw error;
      await pause(1000 * Math.min(LONGEST_PAUSE_S, Number(error.retryAfter) || 1), signal);
    }
  }
}
