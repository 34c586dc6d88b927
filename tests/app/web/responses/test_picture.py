import pytest

from app.web.responses.picture import content_disposition


def plain(filename: str | None) -> str:
    """Return the quoted name of a response that needs no UTF-8 form of it."""
    value = content_disposition(filename)
    assert value.startswith('inline; filename="')
    assert value.endswith('"')
    return value.removeprefix('inline; filename="').removesuffix('"')


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        ("photo.jpg", "photo-denoised.png"),
        ("photo", "photo-denoised.png"),
        ("my photo.tar.gz", "my photo.tar-denoised.png"),
        (None, "image-denoised.png"),
        ("", "image-denoised.png"),
        (".png", ".png-denoised.png"),
    ],
)
def test_the_response_is_named_after_the_upload(filename: str | None, expected: str) -> None:
    assert plain(filename) == expected


@pytest.mark.parametrize(
    "filename", ["/etc/photo.jpg", "..\\..\\photo.jpg", "C:\\pictures\\photo.jpg", "a/../photo.gif"]
)
def test_folders_are_left_out(filename: str) -> None:
    assert plain(filename) == "photo-denoised.png"


@pytest.mark.parametrize("filename", [".", "..", "/", "\\", "a/.."])
def test_a_name_that_is_only_a_folder_does_not_lead_out_of_the_target(filename: str) -> None:
    assert "/" not in plain(filename)
    assert plain(filename).endswith("-denoised.png")


@pytest.mark.parametrize("filename", ["a\r\nSet-Cookie: x=1.png", "a\0b.png", "a\x7fb.png", "a\u2028b.png"])
def test_control_characters_do_not_reach_the_header(filename: str) -> None:
    assert content_disposition(filename).isprintable()


def test_quotes_do_not_end_the_name() -> None:
    value = content_disposition('a"; filename="b.exe')
    assert value.count('"') == 2
    assert "filename*=UTF-8''a%22%3B%20filename%3D%22b-denoised.png" in value


def test_a_name_outside_ascii_is_also_sent_in_utf_8() -> None:
    value = content_disposition("größe 5.png")
    assert value == "inline; filename=\"gr__e 5-denoised.png\"; filename*=UTF-8''gr%C3%B6%C3%9Fe%205-denoised.png"


@pytest.mark.parametrize("filename", ["größe.png", "数字.tif", "🖼.webp", "a\udc80b.png", "100%.png"])
def test_every_header_can_be_sent(filename: str) -> None:
    assert content_disposition(filename).encode("ascii")
