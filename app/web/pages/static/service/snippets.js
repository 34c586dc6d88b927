// Code that does with curl, Python or JavaScript what the page does.

import { denoiseAddress, resultName } from "./calls.js";

const WRITERS = { curl: writeCurl, python: writePython, javascript: writeJavaScript };

/**
 * Return code that denoises one picture.
 *
 * @param {"curl"|"python"|"javascript"} language
 * @param {string} name of the picture's file
 * @param {URLSearchParams} query
 * @param {boolean} hasKey whether the service wants a key; the code reads it from the environment
 */
export function writeSnippet(language, name, query, hasKey) {
  const address = new URL(denoiseAddress(query), document.baseURI).href;
  return WRITERS[language]({ address, name, result: resultName(name, query.get("format")), hasKey });
}

function writeCurl({ address, name, result, hasKey }) {
  const key = hasKey ? '-H "X-API-Key: $DENOISER_KEY" ' : "";
  return `curl ${key}--data-binary ${quote(`@${name}`)} -o ${quote(result)} ${quote(address)}`;
}

function writePython({ address, name, result, hasKey }) {
  const key = hasKey ? 'headers={"X-API-Key": os.environ["DENOISER_KEY"]}, ' : "";
  return `${hasKey ? "import os\n" : ""}from pathlib import Path
from urllib.request import Request, urlopen

address = ${JSON.stringify(address)}
picture = Path(${JSON.stringify(name)}).read_bytes()
request = Request(address, data=picture, ${key}method="POST")
with urlopen(request) as response:
    Path(${JSON.stringify(result)}).write_bytes(response.read())`;
}

function writeJavaScript({ address, name, result, hasKey }) {
  const key = hasKey ? ', headers: { "X-API-Key": process.env.DENOISER_KEY }' : "";
  return `import { readFile, writeFile } from "node:fs/promises";

const address = ${JSON.stringify(address)};
const body = await readFile(${JSON.stringify(name)});
const response = await fetch(address, { method: "POST", body${key} });
if (!response.ok) throw new Error((await response.json()).detail);
await writeFile(${JSON.stringify(result)}, new Uint8Array(await response.arrayBuffer()));`;
}

function quote(text) {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
