import cv2
import numpy as np
import pytest

from tests.training.photos.small import draw_white
from training.images.luma import LUMA_WEIGHTS
from training.images.noise import Images
from training.photos.network.whiteness import is_white

LEVEL = 0.1
SIDE = (1, 64, 80)


def judge(image: Images, level: float = LEVEL) -> bool:
    """Return what is said of an image (1, H, W, 3), of whose channels one is enough if they are equal."""
    is_gray = (image == image[..., :1]).all()
    return bool(is_white(image[..., :1] if is_gray else image, np.full(1, level, np.float32))[0])


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("level", [0.01, LEVEL, 0.3])
def test_white_noise_of_its_level_is_white(channels: int, level: float) -> None:
    assert judge(draw_white(*SIDE, channels, level=level), level)


@pytest.mark.parametrize("told", [0.0, 0.6, 1.3])
def test_of_another_level_it_is_not(told: float) -> None:
    assert not judge(draw_white(*SIDE, 1, level=LEVEL), told * LEVEL)


def test_structure_does_not_matter_where_something_is_flat() -> None:
    image = draw_white(*SIDE, 1, level=LEVEL)
    image[:, :, 32:] += np.float32(0.5) * (np.indices((64, 48)).sum(axis=0) // 3 % 2)[None, ..., None]
    assert judge(image)


def test_parts_whose_noise_was_clipped_do_not_count() -> None:
    image = draw_white(*SIDE, 1, level=LEVEL)
    image[:, :, 24:] += 0.5
    assert judge(image.clip(0, 1))


def test_noise_that_neighbours_share_is_not_white() -> None:
    image = draw_white(*SIDE, 1, level=2 * LEVEL)[0]
    shared = cv2.GaussianBlur(image, (0, 0), 0.7)
    assert not judge(shared[None], float(shared.std()))


def test_noise_that_grows_with_the_signal_is_not_white() -> None:
    image = draw_white(*SIDE, 1, level=LEVEL)
    image[:, :, :40] = 0.5 + (image[:, :, :40] - 0.5) / 4
    assert not judge(image, float(image.std()))


def test_noise_that_channels_share_is_not_white() -> None:
    image = draw_white(*SIDE, 1, level=LEVEL)
    assert not bool(is_white(image, np.full(1, LEVEL, np.float32))[0])


def test_in_colour_noise_that_is_white_in_chroma_alone_is_not_white() -> None:
    image = draw_white(*SIDE, 3, level=LEVEL)
    luma = image @ LUMA_WEIGHTS
    shared = cv2.GaussianBlur(luma[0], (0, 0), 0.7)
    shared = 0.5 + (shared - 0.5) * luma.std() / shared.std()
    assert judge(image)
    assert not judge(image + (shared - luma)[..., None])


def test_every_other_row_of_blocks_is_looked_at() -> None:
    image = draw_white(*SIDE, 1, level=LEVEL).copy()
    image[:, 16:32] = 0.5
    assert judge(image)
    image[:, 32:48] = 0.5
    assert not judge(image)


@pytest.mark.parametrize("size", [(8, 64), (64, 8), (24, 40)])
def test_sides_need_not_be_whole_blocks(size: tuple[int, int]) -> None:
    assert judge(draw_white(1, *size, 1, level=LEVEL))
    assert not judge(draw_white(1, *size, 1, level=LEVEL), 0.5 * LEVEL)


def test_images_of_a_batch_are_judged_alone() -> None:
    image = np.concatenate([draw_white(*SIDE, 1, level=level) for level in (LEVEL, 3 * LEVEL, LEVEL)])
    assert np.asarray(is_white(image[..., :1], np.full(3, LEVEL, np.float32))).tolist() == [True, False, True]
