// Links to the model cards of all models.

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
