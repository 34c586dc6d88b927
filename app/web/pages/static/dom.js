// Elements of the page.

/** Return the element of an id. */
export function $(id) {
  return document.getElementById(id);
}
