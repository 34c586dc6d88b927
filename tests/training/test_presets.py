import pytest

from training.presets import PRESETS
from training.tasks import TASKS


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_named_as_it_says_and_has_an_architecture(name: str) -> None:
    config = PRESETS[name]
    assert config.preset == name
    assert TASKS[config.task].build_network(config).name == config.architecture
