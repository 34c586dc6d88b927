"""What fuzzing starts from is decoded or refused: one look at each file, in every run of the tests."""

from pathlib import Path

import pytest

from app.errors import RequestError
from app.imaging.decode import decode_image, open_image
from app.web.requests.multipart import MultipartError, find_boundary, split_form
from tests.fuzz.seeds import form_seeds, picture_seeds, write_seeds

PICTURES = picture_seeds()
FORMS = form_seeds()
REFUSED_PICTURES = {"bmp-announcing", "gif-announcing", "jpeg-announcing", "webp-announcing", "tiff-tiny-tiles"}
REFUSED_FORMS = {"cut", "mixed"}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_decoded_or_refused(name: str) -> None:
    try:
        opened = open_image(PICTURES[name], max_pixels=2**16)
        assert decode_image(opened, backdrop=0.5).samples.size == opened.pixels
    except RequestError:
        assert name in REFUSED_PICTURES
    else:
        assert name not in REFUSED_PICTURES


@pytest.mark.parametrize("name", FORMS)
def test_a_form_is_split_or_refused(name: str) -> None:
    content_type, _, body = FORMS[name].partition(b"\n")
    try:
        list(split_form(body, find_boundary(content_type.decode())))
    except MultipartError:
        assert name in REFUSED_FORMS
    else:
        assert name not in REFUSED_FORMS


@pytest.mark.parametrize("kind", ["pictures", "forms"])
def test_all_seeds_are_small_files(tmp_path: Path, kind: str) -> None:
    write_seeds(kind, tmp_path)
    assert {len(path.read_bytes()) < 8192 for path in tmp_path.iterdir()} == {True}
