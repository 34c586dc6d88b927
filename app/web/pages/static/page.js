// The page: take a picture, denoise it again whenever something changes, and show the result.

import { describeSize, showChoice } from "./panels/choice.js";
import { Formats, formatBytes } from "./panels/formats.js";
import { showQuality } from "./panels/quality.js";
import { drawFacts, drawTiming, formatMs, timeStages } from "./panels/report.js";
import { Settings } from "./panels/settings.js";
import { Strip } from "./panels/strip.js";
import { takeFiles } from "./picture/intake.js";
import { openPicture, release } from "./picture/picture.js";
import { offerSamples, sampleAddress, SAMPLES } from "./picture/samples.js";
import { discard, prepare } from "./picture/source.js";
import { Tray } from "./picture/tray.js";
import { denoise, fetchFile, listModels, resultName } from "./service/calls.js";
import { storedKey, storeKey } from "./service/key.js";
import { AUTO, Models, hasFixedSize } from "./service/models.js";
import { hideProblem, showProblem } from "./service/problem.js";
import { writeSnippet } from "./service/snippets.js";
import { Comparison } from "./stage/comparison.js";
import { peekWhileHeld } from "./stage/peek.js";
import { Progress } from "./stage/progress.js";
import { denoiseInSteps } from "./work.js";

const PAUSE_MS = 80; // so that a moving slider makes one call, not one for each step
const SIGMA = { small: 102, large: 25 }; // 8-bit scale; digits are evaluated at 0.4 of white, photos at 25
const LITTLE_NOISE = 5; // a lower estimate (8-bit scale) is said
const STRONGER = { least: 8, factor: 1.5 }; // than the estimate

const $ = (id) => document.getElementById(id);
const comparison = new Comparison($("stage"), showZoom);
const formats = new Formats($("format"));
const progress = new Progress($("progress"), $("cancel"), cancel);
const tray = new Tray((size) => settings?.query(size) ?? "", showTray);
const strip = new Strip($("strip"), (item) => openItem(item));
let settings = null; // set once the models are known
let isForThisPicture = false; // whether the model was chosen for the present picture alone
let openings = 0;
let opened = null; // the picture that was chosen
let sent = null; // what is sent of it
let result = null;
let preview = null;
let noiseLevel = null; // as estimated, for what is sent
let running = new AbortController();
let timer = 0;
let collecting = new AbortController(); // the work on all pictures

async function start() {
  hideProblem($("problem"));
  try {
    settings = new Settings($("settings"), new Models(await listModels()), new URLSearchParams(location.search));
    listCards(settings.models.all);
  } catch (error) {
    showFailure(error);
    return;
  }
  if (opened) settings.suit(opened.size); // it came while the models were not known
  const { models } = settings;
  const offered = SAMPLES.filter(({ isDigit }) => models.all.find((model) => hasFixedSize(model) === isDigit));
  offerSamples($("samples"), offered, openSample);
  const first = offered.find(({ isDigit }) => isDigit === hasFixedSize(settings.isAuto ? models.small : settings.model));
  if (opened) await run();
  else if (first) await openSample(first);
}

async function openSample(sample) {
  collecting.abort();
  tray.fill([]);
  await open(() => fetchFile(sampleAddress(sample)), sample.file, sample);
}

async function openFiles(files) {
  collecting.abort();
  tray.fill(files);
  await openItem(tray.selected);
}

/** Show one of the pictures that were chosen. */
async function openItem(item) {
  tray.selected = item;
  showTray();
  await open(async () => item.blob, item.name);
}

/** Open the picture in the blob that `load` returns; a sample says how noisy it becomes, and whether it is a digit. */
async function open(load, name, { sigma = null, isDigit = null } = {}) {
  const turn = ++openings;
  let picture;
  try {
    picture = await openPicture(await load(), name);
  } catch (error) {
    if (turn === openings) showProblem($("problem"), error);
    return;
  }
  if (turn !== openings) return release(picture); // another picture was chosen meanwhile
  release(opened);
  opened = picture;
  const { size } = picture;
  $("sigma").value = sigma ?? (settings?.models.isSmall(size) ? SIGMA.small : SIGMA.large);
  $("add-noise").checked = sigma !== null;
  $("add-noise").disabled = !picture.image;
  $("noise").hidden = tray.items.length > 1; // it is for trying, with one picture
  if (tray.selected) tray.selected.size = size;
  if (isForThisPicture) settings?.choose(AUTO);
  isForThisPicture = false;
  settings?.suit(size);
  if (isDigit !== null) chooseKind(isDigit);
  removeResult();
  comparison.fit();
  await run();
}

/** Use a model of the sample's kind, until the next picture is opened. */
function chooseKind(isDigit) {
  if (hasFixedSize(settings.model) === isDigit) return;
  const { small, large, all } = settings.models;
  settings.choose([small, large, ...all].find((model) => hasFixedSize(model) === isDigit).name);
  isForThisPicture = true;
}

/** Denoise again in a moment; what is in work is out of date already. */
function schedule() {
  clearTimeout(timer);
  running.abort();
  timer = setTimeout(run, PAUSE_MS);
}

async function run() {
  clearTimeout(timer);
  running.abort();
  running = new AbortController();
  const { signal } = running;
  if (!settings) return start();
  if (!opened) return;
  showInputs();
  remember();
  showChoice({ place: $("choice"), reason: $("choice-reason"), other: $("other-choice") }, settings, opened.size);
  hideProblem($("problem"));
  $("key-form").hidden = true;
  showTray();
  comparison.isBusy = true;
  progress.start();
  try {
    const prepared = await prepare(opened, noise(), sent);
    if (signal.aborted) return discard(prepared, sent, opened);
    showSent(prepared);
    const query = settings.query();
    showSnippet();
    formats.show(sent.key, query);
    const item = tray.selected;
    const known = item?.done?.query === query.toString() && !sent.clean ? item.done.response : null;
    if (known) {
      const picture = await openPicture(known.blob, resultName(item.name, query.get("format")));
      return signal.aborted ? release(picture) : showResult(picture, known);
    }
    const job = { picture: sent.picture, query, model: settings.model, visible: comparison.visiblePart, noiseLevel };
    const { picture, response } = await denoiseInSteps(job, { expect, preview: showPreview }, signal);
    if (signal.aborted) return release(picture);
    formats.note(sent.key, query, response.blob.size);
    formats.show(sent.key, query);
    if (item && !sent.clean) item.done = { query: query.toString(), response };
    showResult(picture, response);
    showTray();
    if (!opened.image) suitSize(response.header("X-Input-Size"));
  } catch (error) {
    if (signal.aborted) return;
    removeResult();
    $("note").hidden = true; // the service returned nothing
    if (tray.selected) tray.selected.failed = { query: settings.query().toString(), error };
    showTray();
    showFailure(error);
  } finally {
    if (!signal.aborted) end();
  }

  function expect(milliseconds) {
    if (!signal.aborted) progress.expect(milliseconds);
  }

  function showPreview(picture, part) {
    if (signal.aborted) return release(picture);
    release(preview);
    preview = picture;
    comparison.showPreview(picture.image, part);
    $("after-caption").textContent = `After: preview of ${describeSize(part)}`;
  }
}

/** Show an error where the pictures are, or ask for a key if that is what is wrong. */
function showFailure(error) {
  const wantsKey = error.status === 401 || (error.status === 403 && storedKey() !== null);
  $("key-form").hidden = !wantsKey;
  if (!wantsKey) {
    showProblem($("problem"), error);
    $("problem").scrollIntoView({ block: "nearest" });
    return;
  }
  const reason = error.status === 403 ? error.detail : storedKey() ? "The key was refused." : "This service wants a key.";
  $("key-reason").textContent = reason;
  storeKey(null);
  $("key").focus();
}

function showTray() {
  strip.draw(tray);
  $("many").hidden = tray.items.length < 2;
  const count = (state) => tray.items.filter((item) => tray.stateOf(item) === state).length;
  const failed = count("failed");
  $("many-status").textContent = `${count("done")} of ${tray.items.length} done${failed ? `, ${failed} failed` : ""}`;
}

/** Denoise all pictures, and save the results as one ZIP. */
async function collect() {
  collecting.abort();
  collecting = new AbortController();
  const { signal } = collecting;
  running.abort(); // it is one of them
  end();
  showCollecting(true);
  try {
    await tray.denoiseAll(signal);
    const zip = signal.aborted ? null : await tray.zip();
    if (zip && !signal.aborted) save(zip, "denoised.zip");
    if (!signal.aborted) await run(); // shows what is known now
  } catch (error) {
    if (!signal.aborted) showFailure(error);
  }
  if (collecting.signal === signal) showCollecting(false);
}

function showCollecting(isWorking) {
  $("collect").hidden = isWorking;
  $("cancel-all").hidden = !isWorking;
}

function save(blob, name) {
  const url = URL.createObjectURL(blob);
  Object.assign(document.createElement("a"), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // the browser may read it later
}

/** Take the size of a picture that the browser cannot show from the service. */
function suitSize(text) {
  const [width, height] = text.split("x").map(Number);
  if (opened.size) return;
  opened.size = { width, height };
  const before = settings.query().toString();
  settings.suit(opened.size);
  if (settings.query().toString() !== before) schedule();
}

/** Keep the settings in the address, so that they survive a reload and can be sent on. */
function remember() {
  if (isForThisPicture) return;
  const text = settings.address.toString();
  history.replaceState(null, "", `${location.pathname}${text && `?${text}`}${location.hash}`);
}

function end() {
  comparison.isBusy = false;
  progress.stop();
}

function cancel() {
  running.abort();
  clearTimeout(timer);
  end();
  const message = `Cancelled.${result ? " The result is that of earlier settings." : ""}`;
  Object.assign($("note"), { hidden: false, textContent: message });
  $("status").textContent = message;
}

/** The noise that is to be added, or null. */
function noise() {
  if (!$("add-noise").checked) return null;
  return { sigma: Number($("sigma").value), seed: Number($("seed").textContent), isGray: settings.get("color") !== "keep" };
}

function showInputs() {
  $("noise-settings").hidden = !$("add-noise").checked;
  $("sigma-value").textContent = $("sigma").value;
  $("empty").hidden = true;
}

function showSent(prepared) {
  const previous = sent;
  if (previous?.key !== prepared.key) noiseLevel = null;
  sent = prepared;
  discard(previous, sent, opened);
  const { image, name, url } = sent.picture;
  const caption = image ? `Before: ${name}, ${describeSize(sent.picture.size)}` : "";
  comparison.showBefore(image, caption);
  $("before-caption").textContent = caption;
  $("note").hidden = image !== null;
  $("note").textContent = "This browser cannot show the picture itself, only the result.";
  Object.assign($("save-sent"), { href: url, download: name });
}

function showResult(picture, response) {
  release(result);
  result = picture;
  const model = `${response.header("X-Model-Name")}/${response.header("X-Model-Version")}`;
  const isFitted = settings.get("output_size") === "model" && settings.get("fit") !== "stretch";
  const caption = `After: ${describeSize(picture.size)}, ${formatBytes(response.blob.size)}`;
  comparison.showAfter(picture.image, caption, !isFitted);
  $("after-caption").textContent = caption;
  const format = $("format").selectedOptions[0].dataset.name;
  Object.assign($("download"), { href: picture.url, download: picture.name, textContent: `Download ${format}` });
  $("download").removeAttribute("aria-disabled");
  $("report").hidden = false;
  $("wall").textContent = formatMs(response.wallMs);
  drawTiming($("timing-bar"), $("timing-legend"), timeStages(response.header("Server-Timing"), response.wallMs));
  if (settings.get("noise_level") === "auto") showEstimate(response.header("X-Noise-Level"));
  drawFacts($("facts"), [
    ["Model", model],
    ["Picture", response.header("X-Input-Size")?.replace("x", " × ")],
    ["Polarity", response.header("X-Polarity")],
    ["Noise level", response.header("X-Noise-Level") && `σ ${response.header("X-Noise-Level")} of 255`],
    ["Batch size", response.header("X-Batch-Size")],
  ]);
  const change = showQuality($("psnr"), sent, picture.image, settings.get("fit") === "mnist" ? "the paper is now plain" : null);
  $("status").textContent = `Denoised by ${model} in ${formatMs(response.wallMs)}. ${change}`;
}

/** Let the slider start from the estimate, and say if it is low; the service may have found less than there is. */
function showEstimate(estimate) {
  noiseLevel = estimate;
  settings.showEstimate(estimate);
  $("faint").hidden = Number(estimate) >= LITTLE_NOISE;
  $("faint-text").textContent = `Little noise found: σ ${estimate} of 255.`;
}

function showSnippet() {
  const { value } = $("languages").querySelector("[aria-pressed=true]");
  $("snippet").textContent = writeSnippet(value, sent.picture.name, settings.query(), storedKey() !== null);
}

/** Find out how large the result is in the other formats. */
async function compareSizes() {
  if (!result) return;
  const { signal } = running;
  $("compare-sizes").disabled = true;
  try {
    for (const query of formats.unknown(sent.key, settings.query())) {
      const response = await denoise(sent.picture.blob, query, signal);
      formats.note(sent.key, query, response.blob.size);
      formats.show(sent.key, settings.query());
    }
  } catch (error) {
    if (!signal.aborted) showProblem($("problem"), error);
  } finally {
    $("compare-sizes").disabled = false;
  }
}

function removeResult() {
  comparison.removeAfter();
  release(result);
  release(preview);
  result = preview = null;
  $("report").hidden = $("faint").hidden = true;
  $("after-caption").textContent = "";
  $("status").textContent = "";
  $("download").removeAttribute("href");
  $("download").setAttribute("aria-disabled", "true");
}

function showZoom({ scale, isFitted }) {
  const percent = 100 * scale;
  $("zoom-level").textContent = `${percent < 10 ? percent.toFixed(1) : Math.round(percent)} %`;
  $("zoom-fit").setAttribute("aria-pressed", isFitted);
  $("zoom-full").setAttribute("aria-pressed", scale === 1);
}

function listCards(models) {
  const entries = models.map(({ name, versions, description }) => {
    const entry = document.createElement("li");
    const cards = versions.map((version) =>
      Object.assign(document.createElement("a"), {
        href: `models/${encodeURIComponent(name)}/${version}`,
        textContent: `${name}/${version}`,
      }),
    );
    entry.append(...cards.flatMap((card) => [card, " "]), description);
    return entry;
  });
  $("model-list").replaceChildren(...entries);
}

async function copySnippet() {
  const text = $("snippet").textContent;
  getSelection().selectAllChildren($("snippet")); // if the clipboard is not accessible, Ctrl+C copies the selection
  const isCopied = await Promise.resolve(navigator.clipboard?.writeText(text).then(() => true)).catch(() => false);
  $("copy-snippet").textContent = isCopied ? "Copied" : "Selected: press Ctrl+C";
}

takeFiles($("file"), openFiles);
$("collect").addEventListener("click", collect);
$("cancel-all").addEventListener("click", () => collecting.abort());
$("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  storeKey($("key").value);
  $("key").value = "";
  $("key-form").hidden = true;
  run();
});
$("settings").addEventListener("input", (event) => {
  if (event.target.id === "model") {
    settings.choose(event.target.value);
    isForThisPicture = false;
  }
  if (settings.get("noise_level") !== "auto") $("faint").hidden = true;
  schedule();
});
$("other-choice").addEventListener("click", (event) => {
  settings.choose(event.target.value);
  isForThisPicture = true;
  schedule();
});
$("settings").addEventListener("submit", (event) => event.preventDefault());
for (const id of ["add-noise", "sigma"]) $(id).addEventListener("input", () => (showInputs(), schedule()));
$("new-seed").addEventListener("click", () => {
  $("seed").textContent = Number($("seed").textContent) + 1;
  schedule();
});
$("zoom-in").addEventListener("click", () => comparison.zoomBy(1.5));
$("zoom-out").addEventListener("click", () => comparison.zoomBy(1 / 1.5));
$("zoom-fit").addEventListener("click", () => comparison.fit());
$("zoom-full").addEventListener("click", () => comparison.zoomTo(1));
peekWhileHeld($("peek"), (isPeeking) => (comparison.isPeeking = isPeeking));
$("again").addEventListener("click", run);
$("languages").addEventListener("click", ({ target }) => {
  if (!target.value) return;
  for (const button of $("languages").children) button.setAttribute("aria-pressed", button === target);
  $("copy-snippet").textContent = "Copy";
  if (sent) showSnippet();
});
$("copy-snippet").addEventListener("click", copySnippet);
$("compare-sizes").addEventListener("click", compareSizes);
$("stronger").addEventListener("click", () => {
  settings.setNoiseLevel(Math.max(STRONGER.least, Math.round(STRONGER.factor * noiseLevel)));
  $("faint").hidden = true;
  schedule();
});
start();
