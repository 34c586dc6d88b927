// The formats of a result, with the sizes of those that are known.

/** Remembers how many bytes a result has in each format. */
export class Formats {
  #select;
  #sizes = new Map();

  /** @param {HTMLSelectElement} select has an option for each format */
  constructor(select) {
    this.#select = select;
    for (const option of select.options) option.dataset.name = option.textContent;
  }

  /** Remember the size of a result; `key` is that of the picture which was sent. */
  note(key, query, bytes) {
    this.#sizes.set(keyOf(key, query), bytes);
  }

  /** Show the sizes that are known of a picture with the settings of the query. */
  show(key, query) {
    for (const option of this.#select.options) {
      const bytes = this.#sizes.get(keyOf(key, asFormat(query, option.value, query.get("quality"))));
      option.textContent = bytes === undefined ? option.dataset.name : `${option.dataset.name}, ${formatBytes(bytes)}`;
    }
  }

  /** Return the queries of the formats whose sizes are not known. */
  unknown(key, query) {
    return [...this.#select.options]
      .map(({ value }) => asFormat(query, value, query.get("quality")))
      .filter((other) => !this.#sizes.has(keyOf(key, other)));
  }
}

/** Return text like "1.3 MB". */
export function formatBytes(bytes) {
  const [divisor, unit] = bytes < 1000 ? [1, "bytes"] : bytes < 1e6 ? [1e3, "kB"] : [1e6, "MB"];
  const number = bytes / divisor;
  return `${divisor > 1 && number < 10 ? number.toFixed(1) : Math.round(number)}\u00a0${unit}`;
}

function asFormat(query, format, quality) {
  const other = new URLSearchParams(query);
  other.delete("format");
  other.delete("quality");
  if (format !== "png") other.set("format", format);
  if (format !== "png" && quality) other.set("quality", quality);
  if (format !== "png") other.delete("bit_depth"); // 16 bits are for PNGs only
  return other;
}

function keyOf(key, query) {
  return `${key} ${asFormat(query, query.get("format") ?? "png", query.get("quality"))}`;
}
