import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from app.errors import InvalidImageError
from app.imaging.decode import decode_gray, open_image
from app.imaging.formats import ACCEPTED_FORMATS
from tests.app.pictures import EXIF_ORIENTATION, encode, gradient, psnr_db, unit

WITHOUT_HEIC = """
import sys
from io import BytesIO
sys.modules["pillow_heif"] = None
from app.errors import UnsupportedFormatError
from app.imaging.decode import open_image
try:
    open_image(sys.stdin.buffer.read(), max_pixels=1000)
except UnsupportedFormatError as error:
    print(*error.names)
"""


def test_all_formats_are_known_by_their_usual_names() -> None:
    assert ACCEPTED_FORMATS == ("PNG", "JPEG", "WebP", "AVIF", "BMP", "TIFF", "GIF", "PNM", "HEIC")


def test_heic_is_refused_where_its_package_is_not_installed() -> None:
    heic = encode(gradient(), "HEIF")
    ran = subprocess.run([sys.executable, "-c", WITHOUT_HEIC], input=heic, capture_output=True, check=True)
    assert ran.stdout.decode().split() == ["PNG", "JPEG", "WebP", "AVIF", "BMP", "TIFF", "GIF", "PNM"]


@pytest.mark.parametrize("pillow_format", ["AVIF", "HEIF"])
def test_a_picture_from_a_phone_is_turned_upright(pillow_format: str) -> None:
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = 6
    turned = np.rot90(gradient(64, 48))
    data = encode(np.ascontiguousarray(turned), pillow_format, quality=95, exif=exif.tobytes())
    gray = decode_gray(open_image(data, max_pixels=10_000), backdrop=1.0)
    assert psnr_db(gray, unit(gradient(64, 48))) > 40


@pytest.mark.parametrize("pillow_format", ["AVIF", "HEIF"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_file_is_invalid(pillow_format: str, share: float) -> None:
    data = encode(np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8), pillow_format)
    with pytest.raises(InvalidImageError):
        decode_gray(open_image(data[: int(share * len(data))], max_pixels=10_000), backdrop=1.0)
