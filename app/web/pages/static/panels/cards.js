// The model cards: links to them, and a dialog that shows one where the service wants a key, which a link cannot carry.

import { $ } from "../dom.js";
import { fetchFile } from "../service/calls.js";
import { storedKey } from "../service/key.js";

/** Fill a list with the models of /v1/models. */
export function listCards(list, models) {
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
  list.replaceChildren(...entries);
}

/** Show cards in the dialog, once there is a key; `fail` is called with the error if one cannot be had. */
export function openCardsWithKey(fail) {
  $("close-card").addEventListener("click", () => $("card-dialog").close());
  document.addEventListener("click", async (event) => {
    const link = event.target.closest('a[href^="models/"]');
    if (!link || storedKey() === null) return;
    event.preventDefault();
    try {
      await showCard(link.href);
    } catch (error) {
      fail(error);
    }
  });
}

async function showCard(address) {
  const page = new DOMParser().parseFromString(await (await fetchFile(address)).text(), "text/html");
  const card = page.querySelector("main");
  const urls = await Promise.all([...card.querySelectorAll("img[src], a[href]")].map((element) => fetchTarget(element, address)));
  $("card-text").replaceChildren(...card.childNodes);
  $("card-dialog").addEventListener("close", () => urls.forEach((url) => url && URL.revokeObjectURL(url)), { once: true });
  $("card-dialog").showModal();
  $("card-dialog").scrollTop = 0;
}

/** Let an element of a card refer to a copy of what it refers to, if that needs the key; return the copy's address. */
async function fetchTarget(element, base) {
  const attribute = element.localName === "img" ? "src" : "href";
  const target = new URL(element.getAttribute(attribute), base);
  if (target.origin !== location.origin) return null;
  const url = URL.createObjectURL(await fetchFile(target.href));
  element.setAttribute(attribute, url);
  if (attribute === "href") element.target = "_blank";
  return url;
}
