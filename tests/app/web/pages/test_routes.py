"""The page to try the service on, /docs, the pages of problems, and model cards with their figures."""

import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.web.pages.html import STATIC
from app.web.responses.problems import PROBLEM_TYPES
from tests.app.pictures import encode, gradient

PNG = encode(gradient())


def test_swagger_ui_loads_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/docs").text
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page) + re.findall(r"url: '([^']+)'", page)
    assert len(addresses) == 4
    for address in addresses:
        assert "//" not in address
        assert client.get(f"/{address.removeprefix('../')}".replace("//", "/")).status_code == 200, address


def test_the_page_loads_everything_by_relative_addresses(client: TestClient) -> None:
    page = client.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    addresses = set(re.findall(r'(?:src|href)="([^"#]+)"', page.text))
    assert {"static/page.js", "static/style.css", "static/icon.svg", "docs"} <= addresses
    for address in addresses:
        assert not re.match("/|[a-z]+:", address)
        assert client.get(f"/{address}").status_code == 200, address


def test_the_first_view_is_small() -> None:
    sizes = [file.stat().st_size for file in STATIC.iterdir() if file.is_file()]
    assert sum(sizes) < 150_000


def test_redoc_is_off(client: TestClient) -> None:
    assert client.get("/redoc").status_code == 404


def test_the_type_of_every_problem_is_a_page(client: TestClient) -> None:
    for kind in PROBLEM_TYPES.values():
        page = client.get(f"/problems/{kind.slug}")
        assert page.status_code == 200
        assert kind.title in page.text
        assert 'href="../static/style.css"' in page.text


def test_an_unknown_problem_lists_the_known_ones(client: TestClient) -> None:
    response = client.get("/problems/nonsense")
    assert response.status_code == 404
    assert "queue-full" in response.json()["names"]


@pytest.fixture
def carded(store: Path, client: TestClient) -> TestClient:
    """Version 2 of ``tiny`` has a card with a figure; the others have none."""
    folder = store / "tiny/2"
    (folder / "MODEL_CARD.md").write_text("# tiny/2\n\n![σ](figures/psnr.png)\n", encoding="utf-8")
    (folder / "figures").mkdir()
    (folder / "figures/psnr.png").write_bytes(PNG)
    return client


def test_a_card_is_a_page_with_the_styles_and_figures_of_its_version(carded: TestClient) -> None:
    page = carded.get("/models/tiny/2")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<h1>tiny/2</h1>" in page.text
    assert '<img src="2/figures/psnr.png" alt="σ"' in page.text
    assert 'href="../../static/style.css"' in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]


def test_a_changed_card_is_sent_again(carded: TestClient, store: Path) -> None:
    first = carded.get("/models/tiny/2")
    unchanged = {"If-None-Match": first.headers["etag"]}
    assert carded.get("/models/tiny/2", headers=unchanged).status_code == 304
    (store / "tiny/2/MODEL_CARD.md").write_text("# Another")
    assert "Another" in carded.get("/models/tiny/2", headers=unchanged).text


def test_a_figure_is_sent_once(carded: TestClient) -> None:
    figure = carded.get("/models/tiny/2/figures/psnr.png")
    assert (figure.headers["content-type"], figure.content) == ("image/png", PNG)
    again = carded.get("/models/tiny/2/figures/psnr.png", headers={"If-None-Match": figure.headers["etag"]})
    assert again.status_code == 304


def test_a_version_without_a_card_says_so_and_leads_to_its_metadata(carded: TestClient) -> None:
    page = carded.get("/models/tiny/1")
    assert page.status_code == 200
    assert "no model card" in page.text
    assert 'href="../../v1/models/tiny/versions/1"' in page.text


@pytest.mark.parametrize("path", ["/models/tiny/3", "/models/none/1", "/models/tiny/3/figures/psnr.png"])
def test_there_is_no_card_for_a_model_that_is_not_served(carded: TestClient, path: str) -> None:
    response = carded.get(path)
    assert response.status_code == 404
    assert response.json()["type"] == "/problems/model-not-found"


@pytest.mark.parametrize(
    "file",
    ["../metadata.json", "%2e%2e/metadata.json", "..%2fmetadata.json", "%2fetc/passwd", "nothing.png", "", "link.png"],
)
def test_nothing_outside_the_figures_is_sent(carded: TestClient, store: Path, file: str) -> None:
    (store / "tiny/2/figures/link.png").symlink_to(store / "tiny/2/metadata.json")
    response = carded.get(f"/models/tiny/2/figures/{file}")
    assert response.status_code in {404, 422}
    assert response.headers["content-type"] == "application/problem+json"


def test_a_version_without_figures_has_none(carded: TestClient) -> None:
    assert carded.get("/models/tiny/1/figures/psnr.png").status_code == 404
