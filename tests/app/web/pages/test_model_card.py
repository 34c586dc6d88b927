"""Model cards from Markdown to HTML, safe even if the card is not trusted."""

from app.web.pages.model_card import render_card


def render(markdown: str) -> str:
    return render_card(markdown, figures="1/figures/", metadata="../meta")


def test_figures_and_metadata_get_their_addresses_in_the_service() -> None:
    html = render("![A plot](figures/psnr.png) and [metadata](metadata.json), [MNIST](https://example.org/)")
    assert '<img src="1/figures/psnr.png" alt="A plot" loading="lazy"' in html
    assert '<a href="../meta">metadata</a>' in html
    assert '<a href="https://example.org/">' in html


def test_other_pictures_keep_their_addresses() -> None:
    assert 'src="other/a.png"' in render("![A](other/a.png)")


def test_tables_keep_their_alignment_without_inline_styles() -> None:
    html = render("| a | b |\n| --- | ---: |\n| 1 | 2 |\n")
    assert '<td>1</td>\n<td class="right">2</td>' in html
    assert "style=" not in html


def test_html_in_a_card_shows_as_text_and_comments_do_not_show() -> None:
    html = render(
        "<!-- from here -->\n## Beside\n\n<script>alert(1)</script>\n\nAn <img src=x onerror=alert(1)> inline.\n"
    )
    assert "from here" not in html
    assert "<h2>Beside</h2>" in html
    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_links_that_run_code_are_not_links() -> None:
    html = render("[here](javascript:alert(1)) [there](data:text/html,x)")
    assert "href" not in html


def test_what_scrolls_is_reachable_by_keyboard_and_empty_cells_are_no_headings() -> None:
    html = render("|  | a |\n| --- | ---: |\n| 1 | 2 |\n\n```sh\nls\n```\n")
    assert '<div class="table" tabindex="0"><table>' in html
    assert '<pre tabindex="0"><code' in html
    assert '<td></td>\n<th class="right">a</th>' in html
