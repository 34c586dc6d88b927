import numpy as np
import pytest

from tests.training.drawing import draw_blobs
from training.digits.comparison import Score
from training.digits.figures import plot_examples, plot_features, plot_psnr
from training.digits.networks import build_article
from training.images.noise import GaussianNoise, NoNoise, SaltAndPepperNoise

BLOBS = draw_blobs(3)


def test_examples_have_a_row_for_each_title() -> None:
    figure = plot_examples({"clean": BLOBS, "noisy": BLOBS * np.float32(0.5)})
    assert [strip.get_suptitle() for strip in figure.subfigs] == ["clean", "noisy"]
    assert [len(strip.axes) for strip in figure.subfigs] == [3, 3]


def test_each_convolution_and_pooling_is_drawn_with_a_tile_a_channel() -> None:
    (panel,) = plot_features(build_article(filters=2), BLOBS[0]).axes
    assert len(panel.texts) == 10
    assert panel.texts[0].get_text() == "Conv2D\n28×28×4"
    assert len(panel.images) == 2 * (4 + 2 + 2) + 2 + 2 + 4 + 1


def test_lines_rise_with_gaussian_noise_on_the_left_and_salt_and_pepper_on_the_right() -> None:
    score = Score(bce=0.1, mse=0.01, psnr_db=20, ssim=0.5, accuracy=None)
    noises = (NoNoise(), GaussianNoise(0.2), GaussianNoise(0.4), SaltAndPepperNoise(0.1))
    figure = plot_psnr({name: dict.fromkeys(noises, score) for name in ("median filter", "blobs/1")})
    left, right = figure.axes
    assert [list(np.asarray(line.get_xdata())) for line in left.lines] == [[0.2, 0.4]] * 2
    assert np.asarray(right.lines[0].get_xdata()) == pytest.approx([10])
    assert [line.get_linestyle() for line in left.lines] == ["--", "-"]
