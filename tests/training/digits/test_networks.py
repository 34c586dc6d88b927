import keras
import numpy as np
import pytest

from training.digits.networks import build_article, build_dense, build_digits
from training.images.metrics import count_macs


def test_article_has_4385_parameters_and_keeps_the_shape() -> None:
    network = build_article()
    assert network.count_params() == 4385
    assert network.input_shape == network.output_shape == (None, 28, 28, 1)
    assert count_macs(network) == 751_680


def test_article_has_a_bottleneck_of_4x4x8() -> None:
    assert (None, 4, 4, 8) in [tuple(layer.output.shape) for layer in build_article().layers]


@pytest.mark.parametrize(("filters", "parameters"), [(4, 1185), (16, 16_833)])
def test_article_can_be_narrower_or_wider(filters: int, parameters: int) -> None:
    assert build_article(filters=filters).count_params() == parameters


def test_article_can_average() -> None:
    kinds = [type(layer).__name__ for layer in build_article(pooling="average").layers]
    assert kinds.count("AveragePooling2D") == 3
    assert "MaxPooling2D" not in kinds


def test_dense_sees_the_pixels_without_their_places() -> None:
    network = build_dense()
    assert network.input_shape == network.output_shape == (None, 28, 28, 1)
    assert count_macs(network) == 2 * (784 * 128 + 128 * 64 + 64 * 32)


def test_digits_costs_less_than_ten_million_multiply_accumulates() -> None:
    network = build_digits()
    assert network.input_shape == network.output_shape == (None, 28, 28, 1)
    convolutions = 14 * 14 * 25 * 24 + 7 * 7 * (9 * 24 * 64 + 2 * 2 * 9 * 64 * 40 + 64 * 96)
    convolutions += 14 * 14 * (2 * 9 * 24 * 24 + 9 * 24 * 4)
    assert count_macs(network) == convolutions + 2 * 2 * 49 * 64 * 160 == 9_820_384


def test_digits_puts_every_pixel_of_a_block_at_its_place() -> None:
    network = build_digits()
    weights = dict(zip([weight.path for weight in network.weights], network.get_weights(), strict=True))
    bias = next(path for path in weights if path.startswith("unfold") and path.endswith("bias"))
    kernel = bias.replace("bias", "kernel")
    weights[bias], weights[kernel] = np.array([-9, -3, 3, 9], np.float32), np.zeros_like(weights[kernel])
    network.set_weights(list(weights.values()))
    block = keras.ops.convert_to_numpy(network(np.zeros((1, 28, 28, 1), np.float32)))[0, :2, :2, 0]
    assert (block.ravel()[:-1] < block.ravel()[1:]).all()
