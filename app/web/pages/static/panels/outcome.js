// What is known about a result: how long each stage took, what the service says, and how good it is.

import { $ } from "../dom.js";
import { showQuality } from "./quality.js";
import { drawFacts, drawTiming, formatMs, timeStages } from "./report.js";

/** Show it, and say it to screen readers; `reason` says why the result cannot be compared with a clean picture, if so. */
export function showOutcome({ header, wallMs }, image, sent, reason) {
  const model = `${header("X-Model-Name")}/${header("X-Model-Version")}`;
  const noiseLevel = header("X-Noise-Level");
  $("report").hidden = false;
  $("wall").textContent = formatMs(wallMs);
  drawTiming($("timing-bar"), $("timing-legend"), timeStages(header("Server-Timing"), wallMs));
  drawFacts($("facts"), [
    ["Model", model],
    ["Picture", header("X-Input-Size")?.replace("x", " × ")],
    ["Polarity", header("X-Polarity")],
    ["Noise level", noiseLevel && `σ ${noiseLevel} of 255`],
    ["Batch size", header("X-Batch-Size")],
  ]);
  const quality = showQuality($("psnr"), sent, image, reason);
  $("status").textContent = `Denoised by ${model} in ${formatMs(wallMs)}. ${quality}`;
}

/** Remove it. */
export function hideOutcome() {
  $("report").hidden = true;
  $("status").textContent = "";
}
