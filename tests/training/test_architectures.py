import pytest

from training.architectures import ARCHITECTURES, build_article
from training.config import PRESETS
from training.metrics import count_macs


def test_article_has_4385_parameters_and_keeps_the_shape() -> None:
    network = build_article()
    assert network.count_params() == 4385
    assert network.input_shape == network.output_shape == (None, 28, 28, 1)
    assert count_macs(network) == 751_680


def test_article_has_a_bottleneck_of_4x4x8() -> None:
    assert (None, 4, 4, 8) in [tuple(layer.output.shape) for layer in build_article().layers]


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_named_as_it_says_and_has_an_architecture(name: str) -> None:
    config = PRESETS[name]
    assert config.preset == name
    assert config.architecture in ARCHITECTURES
