"""Write Markdown tables, between markers, into docs/benchmarks.md."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.harness.processes import REPOSITORY

DOCUMENT = REPOSITORY / "docs/benchmarks.md"
IMAGES = DOCUMENT.parent / "images"
TITLES = {
    "load": "Beside its peers",
    "overload": "Under overload",
    "endurance": "Over time",
    "startup": "Start",
    "chaos": "When it is broken on purpose",
    "swaps": "When networks change",
}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def write_section(name: str, content: str, document: Path = DOCUMENT) -> None:
    """Replace what is between the markers of a section; the rest, written by hand, stays as it is."""
    text = document.read_text() if document.exists() else "# Benchmarks\n"
    document.write_text(replace_section(text, name, content))


def replace_section(text: str, name: str, content: str) -> str:
    """Return ``text`` with new content between the markers of ``name``; a missing section is added at the end."""
    begin, end = f"<!-- {name}: written by `make benchmark` -->", f"<!-- end of {name} -->"
    section = f"{begin}\n\n{content.strip()}\n\n{end}"
    before, found, rest = text.partition(begin)
    if not found:
        return f"{text.rstrip()}\n\n## {TITLES.get(name, name)}\n\n{section}\n"
    return before + section + rest.partition(end)[2]
