from io import BytesIO
from typing import Any

import numpy as np
import pytest
from denoiser_client.pictures import read_picture
from PIL import Image

GRAY = np.arange(12, dtype=np.uint8).reshape(3, 4)


@pytest.mark.parametrize(
    "array",
    [GRAY, np.stack([GRAY] * 3, axis=-1), GRAY.astype(np.uint16) * 5000, (GRAY / 12).astype(np.float32)],
    ids=["gray", "rgb", "16 bits", "float"],
)
def test_an_array_loses_nothing(array: Any) -> None:  # noqa: ANN401  # of any kind
    with Image.open(BytesIO(read_picture(array))) as image:
        assert np.array_equal(np.asarray(image), array)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F"])
def test_an_image_of_pillows_loses_nothing(mode: str) -> None:
    image = Image.new(mode, (4, 3))
    with Image.open(BytesIO(read_picture(image))) as read:
        assert read.mode == mode
        assert read.tobytes() == image.tobytes()


def test_an_image_of_pillows_is_turned_upright() -> None:
    buffer = BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("L", (4, 3)).save(buffer, "PNG", exif=exif)
    with Image.open(BytesIO(read_picture(Image.open(buffer)))) as read:
        assert read.size == (3, 4)


@pytest.mark.parametrize("picture", [7, None, GRAY.astype(np.int64), GRAY[0], np.zeros((2, 2, 4), np.uint8)], ids=str)
def test_anything_else_is_refused(picture: Any) -> None:  # noqa: ANN401  # anything
    with pytest.raises(TypeError):
        read_picture(picture)
