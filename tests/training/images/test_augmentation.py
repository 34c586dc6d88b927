import numpy as np
import pytest

from tests.training.drawing import draw_blobs
from training.images.augmentation import RandomAffine, sample_affine

BLOBS = draw_blobs(40)
IDENTITY = np.eye(2)[None]
NO_SHIFT = np.zeros((1, 2))


def test_the_identity_changes_nothing() -> None:
    np.testing.assert_array_equal(sample_affine(BLOBS[:1], IDENTITY, NO_SHIFT), BLOBS[:1])


def test_a_shift_of_whole_pixels_moves_the_image_and_lets_black_in() -> None:
    image = np.random.default_rng(0).uniform(0.5, 1, (1, 6, 8, 2)).astype(np.float32)
    moved = sample_affine(image, IDENTITY, np.array([[2.0, 1.0]]))
    np.testing.assert_allclose(moved[:, :-1, :-2], image[:, 1:, 2:], atol=1e-6)
    assert not moved[:, -1].any()
    assert not moved[:, :, -2:].any()


def test_a_quarter_turn_is_that_of_numpy() -> None:
    image = np.random.default_rng(0).random((1, 7, 7, 1)).astype(np.float32)
    turned = sample_affine(image, np.array([[[0.0, 1.0], [-1.0, 0.0]]]), NO_SHIFT)
    np.testing.assert_allclose(turned, np.rot90(image, -1, axes=(1, 2)), atol=1e-6)


def test_halfway_between_two_pixels_is_their_mean() -> None:
    image = np.array([0.2, 0.6], np.float32).reshape(1, 1, 2, 1)
    assert sample_affine(image, IDENTITY, np.array([[0.5, 0.0]]))[0, 0, 0, 0] == pytest.approx(0.4)


def test_only_a_share_of_the_images_is_bent() -> None:
    bent = RandomAffine(share=0.5).apply_to(BLOBS, np.random.default_rng(0))
    same = [np.array_equal(one, other) for one, other in zip(bent, BLOBS, strict=True)]
    assert 10 < sum(same) < 30
    assert bent.dtype == np.float32


def test_the_same_generator_bends_the_same_way() -> None:
    first, second = (RandomAffine().apply_to(BLOBS, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
