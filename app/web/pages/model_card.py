"""Render the MODEL_CARD.md of a version as HTML."""

import re
from collections.abc import Sequence
from functools import cache
from html import escape

from markdown_it import MarkdownIt
from markdown_it.token import Token

FIGURES = "figures"


@cache  # one entry for each version
def render_card(markdown: str, *, figures: str, metadata: str) -> str:
    """Render a card as HTML. HTML in the card itself is shown as text, and its comments are left out.

    Args:
        markdown: CommonMark with tables.
        figures: address of what the card calls ``figures``, with a slash at its end.
        metadata: address of what the card calls ``metadata.json``.
    """
    parser = MarkdownIt("commonmark").enable("table")
    parser.add_render_rule("html_block", _render_raw_html)
    parser.add_render_rule("html_inline", _render_raw_html)
    tokens = parser.parse(markdown)
    for token in _flatten(tokens):
        if token.type == "image":
            source = str(token.attrs["src"])
            if source.startswith(f"{FIGURES}/"):
                token.attrs["src"] = figures + source.removeprefix(f"{FIGURES}/")
            token.attrs["loading"] = "lazy"
        elif token.attrs.get("href") == "metadata.json":
            token.attrs["href"] = metadata
        elif "style" in token.attrs:  # a cell's alignment; the Content-Security-Policy allows only a class
            token.attrs["class"] = str(token.attrs.pop("style")).removeprefix("text-align:")
    html: str = parser.renderer.render(tokens, parser.options, {})
    html = re.sub("<th([^>]*)></th>", r"<td\1></td>", html)  # an empty cell heads nothing
    # What is wider than the screen scrolls by itself, and must be reachable by keyboard.
    html = html.replace("<table>", '<div class="table" tabindex="0"><table>').replace("</table>", "</table></div>")
    return html.replace("<pre>", '<pre tabindex="0">')


def _flatten(tokens: Sequence[Token]) -> list[Token]:
    return [inner for token in tokens for inner in (token, *_flatten(token.children or []))]


def _render_raw_html(
    _renderer: object, tokens: Sequence[Token], index: int, _options: object, _environment: object
) -> str:
    raw = tokens[index].content
    return "" if raw.lstrip().startswith("<!--") else escape(raw)
