// The service as this page calls it. Every address is relative, so that it works behind a path prefix.

import { Problem } from "./problem.js";

/** The answer of /v1/models. */
export async function listModels() {
  return (await call("v1/models", { headers: { Accept: "application/json" } })).json();
}

/** A file that comes with the page. */
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
  const headers = { Accept: "image/png", "Content-Type": "application/octet-stream" };
  const response = await call(denoiseAddress(query), { method: "POST", body: blob, headers, signal });
  const png = await response.blob();
  // The browser's own record leaves out what this page's code waited for; it may come late, or not at all.
  const [timing] = performance.getEntriesByName(response.url);
  const wallMs = timing?.requestStart ? timing.responseEnd - timing.requestStart : performance.now() - start;
  return { blob: png, header: (name) => response.headers.get(name), wallMs };
}

/** The command that does in a shell what denoise() does here. */
export function curlCommand(name, query) {
  const address = new URL(denoiseAddress(query), document.baseURI).href;
  return `curl --data-binary ${quote(`@${name}`)} -o ${quote(resultName(name))} ${quote(address)}`;
}

/** The file name of a result: seven.png becomes seven-denoised.png. */
export function resultName(name) {
  return `${name.replace(/\.[^.]*$/, "")}-denoised.png`;
}

function denoiseAddress(query) {
  const parameters = query.toString();
  return parameters ? `v1/denoise?${parameters}` : "v1/denoise";
}

function quote(text) {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

async function call(address, options = {}) {
  const response = await fetch(address, options).catch((error) => {
    if (error.name === "AbortError") throw error;
    throw new Problem({ title: "No answer", detail: "The service cannot be reached. Is it running, and is there a network?" });
  });
  if (response.ok) return response;
  const isProblem = response.headers.get("Content-Type")?.startsWith("application/problem+json");
  const fields = isProblem ? await response.json() : {
    title: `${response.status} ${response.statusText}`,
    detail: "The answer does not come from the service, but from something between it and this page.",
  };
  throw new Problem({
    ...fields,
    status: response.status,
    retryAfter: response.headers.get("Retry-After"),
    requestId: response.headers.get("X-Request-ID"),
  });
}
