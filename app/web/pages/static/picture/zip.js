// Put files into one ZIP, uncompressed, since images are compressed already.

const LOCAL = 0x04034b50; // signatures of APPNOTE.TXT, https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const VERSION = 20;
const UTF8_NAMES = 0x0800;
const LARGEST_BYTES = 2 ** 32 - 1; // beyond, and from 65,535 files on, it would be a ZIP64
const MOST_FILES = 65_534;

/** @param {{name: string, blob: Blob}[]} files whose names differ @returns {Promise<Blob>} */
export async function makeZip(files) {
  if (files.length > MOST_FILES) throw new Error(`A ZIP holds at most ${MOST_FILES} files.`);
  const [body, directory] = [[], []];
  let offset = 0;
  for (const { name, blob } of files) {
    const nameBytes = new TextEncoder().encode(name);
    const fields = [VERSION, UTF8_NAMES, 0, ...now(), crc32(new Uint8Array(await blob.arrayBuffer())), blob.size, blob.size, nameBytes.length, 0];
    const local = record("42222244422", LOCAL, ...fields);
    directory.push(record("422222244422222" + "44", CENTRAL, VERSION, ...fields, 0, 0, 0, 0, offset), nameBytes);
    body.push(local, nameBytes, blob);
    offset += local.length + nameBytes.length + blob.size;
  }
  const length = directory.reduce((sum, part) => sum + part.length, 0);
  if (offset + length > LARGEST_BYTES) throw new Error("The results are too large for one ZIP.");
  const end = record("42222442", END, 0, 0, files.length, files.length, length, offset, 0);
  return new Blob([...body, ...directory, end], { type: "application/zip" });
}

/** Give each file a name of its own: the second "a.png" becomes "a-2.png". */
export function distinctNames(names) {
  const taken = new Set();
  return names.map((name) => {
    const [, stem, ending] = /^(.*?)(\.[^.]*)?$/s.exec(name);
    let distinct = name;
    for (let number = 2; taken.has(distinct.toLowerCase()); number++) distinct = `${stem}-${number}${ending ?? ""}`;
    taken.add(distinct.toLowerCase());
    return distinct;
  });
}

/** Write numbers, little-endian; `sizes` has the bytes of each, "2" or "4". */
function record(sizes, ...numbers) {
  const view = new DataView(new ArrayBuffer([...sizes].reduce((sum, size) => sum + Number(size), 0)));
  let at = 0;
  numbers.forEach((number, index) => {
    if (sizes[index] === "2") view.setUint16(at, number, true);
    else view.setUint32(at, number, true);
    at += Number(sizes[index]);
  });
  return new Uint8Array(view.buffer);
}

/** The time and the date of MS-DOS, of which the format makes use. */
function now() {
  const date = new Date();
  return [
    (date.getHours() << 11) | (date.getMinutes() << 5) | (date.getSeconds() >> 1),
    ((date.getFullYear() - 1980) << 9) | ((date.getMonth() + 1) << 5) | date.getDate(),
  ];
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
  return rest;
});

function crc32(bytes) {
  let rest = 0xffffffff;
  for (const byte of bytes) rest = TABLE[(rest ^ byte) & 255] ^ (rest >>> 8);
  return (rest ^ 0xffffffff) >>> 0;
}
