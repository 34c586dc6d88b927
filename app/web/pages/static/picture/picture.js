// Pictures: the bytes that are sent and, if the browser can read them, their pixels.

/**
 * @typedef {object} Picture
 * @property {string} name file name
 * @property {Blob} blob what is sent
 * @property {string} url for an <img>; release() frees it
 * @property {?{width: number, height: number}} size in pixels; null if the browser cannot tell
 * @property {?HTMLImageElement} image null if the browser cannot show the format (TIFF, PNM)
 *
 * @typedef {object} Pixels
 * @property {number} width
 * @property {number} height
 * @property {1|3} channels gray or RGB
 * @property {Uint8ClampedArray} levels row by row, the channels of a pixel side by side
 */

/** Open a file; a drawing (SVG) becomes a PNG, because the service reads only pixels. */
export async function openPicture(blob, name) {
  const url = URL.createObjectURL(blob);
  const image = new Image();
  image.src = url;
  const isReadable = await image.decode().then(() => true, () => false);
  const picture = { name, blob, url, image: isReadable ? image : null, size: isReadable ? sizeOf(image) : null };
  if (!isReadable || blob.type !== "image/svg+xml") return picture;
  const drawn = await encodePng(readPixels(image, 3));
  release(picture);
  return openPicture(drawn, name.replace(/\.svg$/i, ".png"));
}

/** Free the memory of a picture. */
export function release(picture) {
  if (picture) URL.revokeObjectURL(picture.url);
}

/** Read an image's pixels upright, on white; gray is BT.601 luma, rounded as the service rounds it. */
export function readPixels(image, channels) {
  const [width, height] = [image.naturalWidth, image.naturalHeight];
  const context = canvasOf(width, height).getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.drawImage(image, 0, 0, width, height);
  const rgba = context.getImageData(0, 0, width, height).data;
  const levels = new Uint8ClampedArray(width * height * channels);
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    if (channels === 1) {
      levels[to++] = (19595 * rgba[from] + 38470 * rgba[from + 1] + 7471 * rgba[from + 2] + 32768) >> 16;
    } else {
      for (let channel = 0; channel < 3; channel++) levels[to++] = rgba[from + channel];
    }
  }
  return { width, height, channels, levels };
}

/** Return whether red, green and blue differ anywhere in an image. */
export function hasColor(image) {
  const { levels } = readPixels(image, 3);
  return levels.some((level, index) => level !== levels[index - (index % 3)]);
}

/** Cut a part, in pixels, out of an image, as PNG. */
export function crop(image, { x, y, width, height }) {
  const canvas = canvasOf(width, height);
  canvas.getContext("2d").drawImage(image, x, y, width, height, 0, 0, width, height);
  return toPng(canvas);
}

/** Encode pixels as PNG. */
export function encodePng({ width, height, channels, levels }) {
  const canvas = canvasOf(width, height);
  const data = new ImageData(width, height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      data.data[4 * pixel + channel] = levels[channels * pixel + (channels === 1 ? 0 : channel)];
    }
    data.data[4 * pixel + 3] = 255;
  }
  canvas.getContext("2d").putImageData(data, 0, 0);
  return toPng(canvas);
}

function sizeOf(image) {
  return { width: image.naturalWidth, height: image.naturalHeight };
}

function canvasOf(width, height) {
  return Object.assign(document.createElement("canvas"), { width, height });
}

function toPng(canvas) {
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("The picture is too large for this browser."))), "image/png");
  });
}
