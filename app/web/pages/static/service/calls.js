// Calls of the service, all by relative addresses, so that the page works behind a path prefix.

import { keyHeaders } from "./key.js";
import { Problem } from "./problem.js";

/** Return the response of /v1/models. */
export async function listModels() {
  return (await call("v1/models", { headers: { Accept: "application/json" } })).json();
}

/** Return a file of the service: a picture that comes with the page, a model card. */
export async function fetchFile(address) {
  return (await call(address)).blob();
}

/**
 * Denoise bytes.
 *
 * @param {Blob} blob an image file
 * @param {URLSearchParams} query
 * @param {AbortSignal} signal
 * @returns {Promise<{blob: Blob, header: (name: string) => ?string, wallMs: number}>}
 */
export async function denoise(blob, query, signal) {
  performance.clearResourceTimings();
  const start = performance.now();
  const headers = { Accept: "image/*", "Content-Type": "application/octet-stream" };
  const response = await call(denoiseAddress(query), { method: "POST", body: blob, headers, signal });
  const image = await response.blob();
  // The browser's own record leaves out the time that this code waited; it may come late, or not at all.
  const [timing] = performance.getEntriesByName(response.url);
  const wallMs = timing?.requestStart ? timing.responseEnd - timing.requestStart : performance.now() - start;
  return { blob: image, header: (name) => response.headers.get(name), wallMs };
}

/** Return the file name of a result: seven.png becomes seven-denoised.png, or .jpg with the format "jpeg". */
export function resultName(name, format) {
  const ending = format === "jpeg" ? "jpg" : (format ?? "png");
  return `${name.replace(/\.[^.]*$/, "")}-denoised.${ending}`;
}

/** Return the relative address of a call. */
export function denoiseAddress(query) {
  const parameters = query.toString();
  return parameters ? `v1/denoise?${parameters}` : "v1/denoise";
}

async function call(address, options = {}) {
  const headers = { ...options.headers, ...keyHeaders() };
  const response = await fetch(address, { ...options, headers }).catch((error) => {
    if (error.name === "AbortError") throw error;
    throw new Problem({ title: "No response", detail: "The service cannot be reached. Is it running, and is the network up?" });
  });
  if (response.ok) return response;
  const isProblem = response.headers.get("Content-Type")?.startsWith("application/problem+json");
  const fields = isProblem ? await response.json() : {
    title: `${response.status} ${response.statusText}`,
    detail: "This response does not come from the service, but from a server between it and this page.",
  };
  throw new Problem({
    ...fields,
    status: response.status,
    retryAfter: response.headers.get("Retry-After"),
    requestId: response.headers.get("X-Request-ID"),
  });
}
