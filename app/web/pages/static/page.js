// The page: take a picture, denoise it again whenever something changes, and show the result.

import { Comparison } from "./comparison.js";
import { takeFiles } from "./intake.js";
import { addNoise, psnr } from "./noise.js";
import { AUTO, LARGEST_SMALL_PX, hasFixedSize, suitableModel } from "./models.js";
import { encodePng, hasColor, openPicture, readPixels, release } from "./picture.js";
import { hideProblem, showProblem } from "./problem.js";
import { drawFacts, drawTiming, formatDb, formatMs, timeStages } from "./report.js";
import { offerSamples, sampleAddress, SAMPLES } from "./samples.js";
import { curlCommand, denoise, fetchFile, listModels, resultName } from "./service.js";
import { Settings } from "./settings.js";

const PAUSE_MS = 120; // so that a moving slider makes one call, not one for each step
const SIGMA = { small: 102, large: 25 }; // 8-bit scale; digits are evaluated at 0.4 of white, photos at 25

const $ = (id) => document.getElementById(id);
const comparison = new Comparison($("stage"));
let settings = null; // set once the models are known
let isForThisPicture = false; // whether the model was chosen for the present picture alone
let openings = 0;
let opened = null; // the picture that was chosen
let sent = null; // { picture, clean, noisy, key }: what is sent; clean and noisy are pixels, if noise was added
let result = null;
let running = new AbortController();
let timer = 0;

async function start() {
  hideProblem($("problem"));
  try {
    const list = await listModels();
    settings = new Settings($("settings"), list);
    listCards(settings.models);
  } catch (error) {
    showProblem($("problem"), error);
    return;
  }
  const offered = SAMPLES.filter(({ isDigit }) => settings.models.find((model) => hasFixedSize(model) === isDigit));
  offerSamples($("samples"), offered, openSample);
  const first = offered.find(({ isDigit }) => isDigit === hasFixedSize(settings.models[0]));
  if (first && !opened) await openSample(first);
}

async function openSample(sample) {
  await open(() => fetchFile(sampleAddress(sample)), sample.file, sample);
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
  const { image } = picture;
  $("sigma").value = sigma ?? (image && isSmall(image) ? SIGMA.small : SIGMA.large);
  $("add-noise").checked = sigma !== null;
  $("add-noise").disabled = !image;
  if (isForThisPicture) settings?.choose(AUTO);
  isForThisPicture = false;
  settings?.suit(sizeOf(image));
  if (isDigit !== null) chooseKind(isDigit);
  removeResult();
  await run();
}

function schedule() {
  clearTimeout(timer);
  timer = setTimeout(run, PAUSE_MS);
}

async function run() {
  running.abort();
  running = new AbortController();
  const { signal } = running;
  if (!settings) return start();
  if (!opened) return;
  showInputs();
  showChoice();
  hideProblem($("problem"));
  comparison.isBusy = true;
  try {
    const prepared = await prepare();
    if (signal.aborted) return discard(prepared);
    showSent(prepared);
    const query = settings.query();
    $("curl").textContent = curlCommand(sent.picture.name, query);
    const response = await denoise(sent.picture.blob, query, signal);
    const picture = await openPicture(response.blob, resultName(sent.picture.name));
    if (signal.aborted) return release(picture);
    showResult(picture, response);
  } catch (error) {
    if (signal.aborted) return;
    removeResult();
    $("note").hidden = true; // the service returned nothing
    showProblem($("problem"), error);
  } finally {
    if (!signal.aborted) comparison.isBusy = false;
  }
}

/** Make the picture that is sent from the one that was opened, unless it exists already. */
async function prepare() {
  if (!$("add-noise").checked || !opened.image) return { picture: opened, clean: null, noisy: null, key: opened.url };
  const [sigma, seed] = [Number($("sigma").value), Number($("seed").textContent)];
  const channels = settings.get("color") === "keep" && hasColor(opened.image) ? 3 : 1;
  const key = [opened.url, sigma, seed, channels].join(" ");
  if (sent?.key === key) return sent;
  const clean = readPixels(opened.image, channels);
  const noisy = addNoise(clean, sigma, seed);
  const picture = await openPicture(await encodePng(noisy), opened.name.replace(/(\.[^.]*)?$/, "-noisy.png"));
  return { picture, clean, noisy, key };
}

function showInputs() {
  $("noise-settings").hidden = !$("add-noise").checked;
  $("sigma-value").textContent = $("sigma").value;
  $("empty").hidden = true;
}

/** Use a model of the sample's kind, until the next picture is opened. */
function chooseKind(isDigit) {
  if (hasFixedSize(settings.model) === isDigit) return;
  settings.choose(settings.models.find((model) => hasFixedSize(model) === isDigit).name);
  isForThisPicture = true;
}

/** Say which model is used and why, and offer one of the other kind. */
function showChoice() {
  const { model, isAuto, models } = settings;
  const other = hasFixedSize(model) ? suitableModel(models, null) : models[0];
  const isOffered = hasFixedSize(other) !== hasFixedSize(model);
  const isShrunk = hasFixedSize(model) && !(opened.image && isSmall(opened.image));
  $("choice").hidden = !isAuto && !(isShrunk && isOffered);
  $("choice-reason").textContent = isAuto
    ? reasonOf(model)
    : `${model.name} shrinks it to ${model.input.width}\u00a0×\u00a0${model.input.height} pixels.`;
  $("other-choice").hidden = !isOffered;
  $("other-choice").textContent = hasFixedSize(model) ? `Keep its size: use ${other.name}` : `Use ${other.name} instead`;
  $("other-choice").value = other.name;
}

function reasonOf({ name }) {
  if (!opened.image) return `Chosen: ${name}.`;
  const extent = isSmall(opened.image) ? "has at most" : "is larger than";
  return `Chosen: ${name}, since the picture ${extent} ${LARGEST_SMALL_PX}\u00a0×\u00a0${LARGEST_SMALL_PX} pixels.`;
}

function isSmall(image) {
  return Math.max(image.naturalWidth, image.naturalHeight) <= LARGEST_SMALL_PX;
}

function sizeOf(image) {
  return image && { width: image.naturalWidth, height: image.naturalHeight };
}

/** Free a prepared picture, unless it is in use. */
function discard(prepared) {
  if (prepared && prepared.picture !== sent?.picture && prepared.picture !== opened) release(prepared.picture);
}

function showSent(prepared) {
  const previous = sent;
  sent = prepared;
  discard(previous);
  const { image, name, url } = sent.picture;
  const caption = image ? `Before: ${name}, ${describeSize(image)}` : "";
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
  const caption = `After: ${describeSize(picture.image)}, ${response.blob.size.toLocaleString("en")} bytes`;
  comparison.showAfter(picture.image, caption, !isFitted);
  $("after-caption").textContent = caption;
  Object.assign($("download"), { href: picture.url, download: picture.name });
  $("download").removeAttribute("aria-disabled");
  $("report").hidden = false;
  $("wall").textContent = formatMs(response.wallMs);
  drawTiming($("timing-bar"), $("timing-legend"), timeStages(response.header("Server-Timing"), response.wallMs));
  const noiseLevel = response.header("X-Noise-Level");
  drawFacts($("facts"), [
    ["Model", model],
    ["Picture", response.header("X-Input-Size")?.replace("x", " × ")],
    ["Polarity", response.header("X-Polarity")],
    ["Noise level", noiseLevel && `σ ${noiseLevel} of 255`],
    ["Batch size", response.header("X-Batch-Size")],
  ]);
  const change = showPsnr(picture.image);
  $("status").textContent = `Denoised by ${model} in ${formatMs(response.wallMs)}. ${change}`;
}

/** Show how far the noisy and the denoised picture are from the clean one, and return that as a sentence. */
function showPsnr(image) {
  const { clean, noisy } = sent;
  $("psnr").hidden = !clean;
  if (!clean) return "";
  const before = psnr(clean, noisy);
  const isComparable = image.naturalWidth === clean.width && image.naturalHeight === clean.height;
  if (!isComparable || settings.get("fit") === "mnist") {
    const reason = isComparable ? "not comparable: the paper is now plain" : "not comparable: its size differs";
    drawFacts($("psnr"), [["PSNR, noisy", formatDb(before)], ["Denoised", reason]]);
    return "";
  }
  const after = psnr(clean, readPixels(image, clean.channels));
  const gain = after - before;
  drawFacts($("psnr"), [
    ["PSNR, noisy", formatDb(before)],
    ["PSNR, denoised", formatDb(after)],
    [gain < 0 ? "Lost" : "Gained", Number.isFinite(gain) ? formatDb(Math.abs(gain)) : null],
  ]);
  return `PSNR ${formatDb(before)} before, ${formatDb(after)} after.`;
}

function removeResult() {
  comparison.removeAfter();
  release(result);
  result = null;
  $("report").hidden = true;
  $("after-caption").textContent = "";
  $("status").textContent = "";
  $("download").removeAttribute("href");
  $("download").setAttribute("aria-disabled", "true");
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

function describeSize(image) {
  return `${image.naturalWidth}\u00a0×\u00a0${image.naturalHeight}`; // no line break inside
}

async function copyCurl() {
  const text = $("curl").textContent;
  getSelection().selectAllChildren($("curl")); // if the clipboard is not accessible, Ctrl+C copies the selection
  const isCopied = await Promise.resolve(navigator.clipboard?.writeText(text).then(() => true)).catch(() => false);
  $("copy-curl").textContent = isCopied ? "Copied" : "Selected: press Ctrl+C";
}

takeFiles($("file"), (file) => open(async () => file, file.name));
$("settings").addEventListener("input", (event) => {
  if (event.target.id === "model") {
    settings.choose(event.target.value);
    isForThisPicture = false;
  }
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
$("zoom").addEventListener("input", (event) => (comparison.zoom = event.target.value));
$("again").addEventListener("click", run);
$("copy-curl").addEventListener("click", copyCurl);
start();
