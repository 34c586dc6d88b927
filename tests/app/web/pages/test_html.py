"""What all pages share: headers, and a 304 for a client that has the current version."""

import pytest
from fastapi import Request
from fastapi.testclient import TestClient

from app.web.pages.html import html_page


@pytest.mark.parametrize("path", ["/", "/static/page.js", "/static/samples/seven.svg", "/problems/queue-full"])
def test_a_page_runs_only_what_the_service_sends(client: TestClient, path: str) -> None:
    response = client.get(path)
    policy = dict(part.strip().split(" ", 1) for part in response.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/", "/static/page.js", "/problems/queue-full"])
def test_a_page_is_sent_again_only_when_it_has_changed(client: TestClient, path: str) -> None:
    first = client.get(path)
    assert first.headers["cache-control"] == "no-cache"
    again = client.get(path, headers={"If-None-Match": f'"other", W/{first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert client.get(path, headers={"If-None-Match": '"other"'}).content == first.content


@pytest.mark.parametrize("path", ["/static/../html.py", "/static/%2e%2e/html.py", "/static//etc/passwd"])
def test_nothing_outside_the_static_folder_is_sent(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"


def page_at(path: str, title: str = "A title") -> str:
    request = Request({"type": "http", "path": path, "query_string": b"", "headers": []})
    return bytes(html_page(request, title, "<p>Body</p>").body).decode()


@pytest.mark.parametrize(("path", "root"), [("/a", ""), ("/a/b", "../"), ("/a/b/c", "../../")])
def test_a_page_finds_styles_and_other_pages_from_its_depth(path: str, root: str) -> None:
    html = page_at(path)
    assert f'<link rel="stylesheet" href="{root}static/style.css">' in html
    assert f'<a href="{root}docs">' in html


def test_a_title_is_text_and_a_body_is_html() -> None:
    html = page_at("/a", "<script>")
    assert "<title>&lt;script&gt; · denoiser</title>" in html
    assert "\n<p>Body</p>\n" in html
