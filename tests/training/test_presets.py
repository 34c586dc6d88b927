import pytest

from training.digits.networks import ARCHITECTURES
from training.presets import PRESETS


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_named_as_it_says_and_has_an_architecture(name: str) -> None:
    config = PRESETS[name]
    assert config.preset == name
    assert config.architecture in ARCHITECTURES
