// The key that some services ask for: kept for this tab alone, and gone with it.

const NAME = "denoiser-key";

/** Return the key, or null. */
export function storedKey() {
  return sessionStorage.getItem(NAME);
}

/** Keep a key; null forgets it. */
export function storeKey(key) {
  if (key === null) sessionStorage.removeItem(NAME);
  else sessionStorage.setItem(NAME, key);
}

/** Return the headers that carry the key. */
export function keyHeaders() {
  const key = storedKey();
  return key === null ? {} : { "X-API-Key": key };
}
