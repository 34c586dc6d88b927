"""The results of ``evaluate`` in a version: a section of MODEL_CARD.md, and scores in metadata.json."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from training.store.metadata import add_evaluation

CARD_NAME = "MODEL_CARD.md"
BEGIN, END = "<!-- evaluation{of}: written by `python -m training evaluate` -->", "<!-- end of evaluation{of} -->"
NEXT_SECTION = "## Limits"


def wrap_section(text: str, *, data_name: str = "") -> str:
    """Put a section between marks of ``evaluate``, which differ between data sets."""
    of = f" on {data_name}" if data_name else ""
    return "\n".join([BEGIN.format(of=of), f"{text}\n", END.format(of=of)])


def render_table(title: str, header: Iterable[str], rows: Mapping[str, Iterable[str]]) -> str:
    """Return a Markdown table with a row for each method."""
    columns = list(header)
    lines = [f"| {title} | {' | '.join(columns)} |", "| --- |" + " ---: |" * len(columns)]
    return "\n".join([*lines, *(f"| {name} | {' | '.join(cells)} |" for name, cells in rows.items())])


def write_report(folder: Path, section: str, scores: Mapping[str, Any]) -> None:
    """Write ``section`` into a version's model card and ``scores`` into its metadata, in place of earlier ones."""
    card = folder / CARD_NAME
    text = card.read_text(encoding="utf-8") if card.exists() else f"# {folder.parent.name}/{folder.name}\n"
    card.write_text(insert_section(text, section), encoding="utf-8")
    add_evaluation(folder, scores)


def insert_section(text: str, section: str) -> str:
    """Replace the section with the same marks, or insert it before the limits, or at the end."""
    begin, *_, end = section.splitlines()
    if begin in text:
        return re.sub(f"{re.escape(begin)}.*?{re.escape(end)}", lambda _: section, text, flags=re.DOTALL)
    head, limits, tail = text.partition(NEXT_SECTION)
    return f"{head.rstrip()}\n\n{section}\n\n{limits}{tail}".rstrip() + "\n"
