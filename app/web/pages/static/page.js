// The page: take a picture, denoise it again whenever something changes, and show the result.

import { $ } from "./dom.js";
import { listCards, openCardsWithKey } from "./panels/cards.js";
import { describeSize, showChoice } from "./panels/choice.js";
import { CodePanel } from "./panels/code.js";
import { Failure } from "./panels/failure.js";
import { Formats, formatBytes } from "./panels/formats.js";
import { Many } from "./panels/many.js";
import { hideOutcome, showOutcome } from "./panels/outcome.js";
import { Settings } from "./panels/settings.js";
import { takeFiles } from "./picture/intake.js";
import { openPicture, release } from "./picture/picture.js";
import { offerSamples, sampleAddress, SAMPLES } from "./picture/samples.js";
import { discard, prepare } from "./picture/source.js";
import { denoise, fetchFile, listModels, resultName } from "./service/calls.js";
import { AUTO, Models, hasFixedSize } from "./service/models.js";
import { Comparison } from "./stage/comparison.js";
import { peekWhileHeld } from "./stage/peek.js";
import { Progress } from "./stage/progress.js";
import { denoiseInSteps } from "./work.js";

const PAUSE_MS = 80; // so that a moving slider makes one call, not one for each step
const SIGMA = { small: 102, large: 25 }; // 8-bit scale; digits are evaluated at 0.4 of white, photos at 25
const LITTLE_NOISE = 5; // a lower estimate (8-bit scale) is said
const STRONGER = { least: 8, factor: 1.5 }; // than the estimate

const comparison = new Comparison($("stage"), showZoom);
const formats = new Formats($("format"));
const progress = new Progress($("progress"), $("cancel"), cancel);
const code = new CodePanel();
const failure = new Failure(run);
const many = new Many({
  query: (size) => settings?.query(size) ?? "",
  select: (item) => open(async () => item.blob, item.name, { item }),
  begin: stop,
  end: run, // which shows what is known now
  fail: (error) => failure.show(error),
});
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

async function start() {
  failure.hide();
  try {
    settings = new Settings($("settings"), new Models(await listModels()), new URLSearchParams(location.search));
    listCards($("model-list"), settings.models.all);
  } catch (error) {
    failure.show(error);
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
  many.fill([]);
  await open(() => fetchFile(sampleAddress(sample)), sample.file, sample);
}

/**
 * Open the picture in the blob that `load` returns; a sample says how noisy it becomes, and whether it is a digit, and one
 * of several pictures which it is.
 */
async function open(load, name, { sigma = null, isDigit = null, item = null } = {}) {
  const turn = ++openings;
  let picture;
  try {
    picture = await openPicture(await load(), name);
  } catch (error) {
    if (turn === openings) failure.show(error);
    return;
  }
  if (turn !== openings) return release(picture); // another picture was chosen meanwhile
  release(opened);
  opened = Object.assign(picture, { item });
  const { size } = picture;
  $("sigma").value = sigma ?? (settings?.models.isSmall(size) ? SIGMA.small : SIGMA.large);
  $("add-noise").checked = sigma !== null;
  $("add-noise").disabled = !picture.image;
  $("noise").hidden = many.areSeveral; // it is for trying, with one picture
  if (item) item.size = size;
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
  failure.hide();
  many.draw();
  comparison.isBusy = true;
  progress.start();
  try {
    const prepared = await prepare(opened, noise(), sent);
    if (signal.aborted) return discard(prepared, sent, opened);
    showSent(prepared);
    const query = settings.query();
    code.show(sent.picture.name, query);
    formats.show(sent.key, query);
    const item = sent.clean ? null : opened.item;
    while (item?.isWorking && !signal.aborted) await item.work; // with all others, perhaps more than once
    if (signal.aborted) return;
    if (item?.done?.query === query.toString()) {
      const picture = await openPicture(item.done.response.blob, resultName(item.name, query.get("format")));
      return signal.aborted ? release(picture) : showResult(picture, item.done.response);
    }
    const job = { picture: sent.picture, query, model: settings.model, visible: comparison.visiblePart, noiseLevel };
    const work = () => denoiseInSteps(job, { expect, preview: showPreview }, signal);
    const isFinal = (error) => !signal.aborted && !error.retryAfter;
    const { picture, response } = await (item ? many.hold(item, query, work, isFinal) : work());
    if (signal.aborted) return release(picture);
    showResult(picture, response);
    if (!opened.image) suitSize(response.header("X-Input-Size"));
  } catch (error) {
    if (signal.aborted) return;
    removeResult();
    $("note").hidden = true; // the service returned nothing
    failure.show(error);
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

/** End the work on the picture that is shown. */
function stop() {
  running.abort();
  running = new AbortController();
  clearTimeout(timer);
  end();
}

function cancel() {
  stop();
  if (result) {
    comparison.removePreview();
    $("after-caption").textContent = $("after").alt;
  }
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
  const isFitted = settings.get("output_size") === "model" && settings.get("fit") !== "stretch";
  const caption = `After: ${describeSize(picture.size)}, ${formatBytes(response.blob.size)}`;
  comparison.showAfter(picture.image, caption, !isFitted);
  $("after-caption").textContent = caption;
  const format = $("format").selectedOptions[0].dataset.name;
  Object.assign($("download"), { href: picture.url, download: picture.name, textContent: `Download ${format}` });
  $("download").removeAttribute("aria-disabled");
  const query = settings.query();
  formats.note(sent.key, query, response.blob.size);
  formats.show(sent.key, query);
  const estimate = response.header("X-Noise-Level");
  if (estimate && settings.get("noise_level") === "auto") showEstimate(estimate);
  showOutcome(response, picture.image, sent, settings.get("fit") === "mnist" ? "the paper is now plain" : null);
}

/** Let the slider start from the estimate, and say if it is low; the service may have found less than there is. */
function showEstimate(estimate) {
  noiseLevel = estimate;
  settings.showEstimate(estimate);
  $("faint").hidden = Number(estimate) >= LITTLE_NOISE;
  $("faint-text").textContent = `Little noise found: σ ${estimate} of 255.`;
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
    if (!signal.aborted) failure.show(error);
  } finally {
    $("compare-sizes").disabled = false;
  }
}

function removeResult() {
  comparison.removeAfter();
  release(result);
  release(preview);
  result = preview = null;
  hideOutcome();
  $("faint").hidden = true;
  $("after-caption").textContent = "";
  $("download").removeAttribute("href");
  $("download").setAttribute("aria-disabled", "true");
}

function showZoom({ scale, isFitted }) {
  const percent = 100 * scale;
  $("zoom-level").textContent = `${percent < 10 ? percent.toFixed(1) : Math.round(percent)} %`;
  $("zoom-fit").setAttribute("aria-pressed", isFitted);
  $("zoom-full").setAttribute("aria-pressed", scale === 1);
}

takeFiles($("file"), (files) => many.fill(files));
openCardsWithKey((error) => failure.show(error));
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
$("again").addEventListener("click", () => {
  if (many.selected) many.selected.done = null;
  run();
});
$("compare-sizes").addEventListener("click", compareSizes);
$("stronger").addEventListener("click", () => {
  settings.setNoiseLevel(Math.max(STRONGER.least, Math.round(STRONGER.factor * noiseLevel)));
  $("faint").hidden = true;
  schedule();
});
start();
