"""For which networks the event loop may wait."""

import pytest

from app.imaging.samples import FloatImage
from app.inference.denoiser import NoiseLevels
from app.inference.loop_calls import MAX_LOOP_CALL_S, has_short_calls
from tests.app.fakes import ANY_SIZE, NOISE_LEVELS, IdentityDenoiser, burn, make_metadata


class LargeDenoiser(IdentityDenoiser):
    """Takes processor time for each image."""

    def denoise(self, images: FloatImage, noise_levels: NoiseLevels | None = None) -> FloatImage:
        burn(len(images) * MAX_LOOP_CALL_S / 8)
        return super().denoise(images, noise_levels)


def test_a_network_is_called_with_as_many_images_as_the_loop_gives_it() -> None:
    denoiser = IdentityDenoiser()
    assert has_short_calls(denoiser, make_metadata(noise_level=NOISE_LEVELS))
    assert set(denoiser.shapes) == {(16, 28, 28, 1)}
    assert denoiser.noise_levels[0] == [0.0] * 16


@pytest.mark.parametrize(("side", "expected"), [(28, False), (256, True)], ids=["16 images", "4 images"])
def test_a_network_whose_calls_take_long_is_not_called_on_the_loop(side: int, expected: bool) -> None:
    metadata = make_metadata(input={"height": side, "width": side, "channels": 1, "polarity": None})
    assert has_short_calls(LargeDenoiser(), metadata) == expected


def test_networks_of_any_size_are_not_called_on_the_loop() -> None:
    denoiser = IdentityDenoiser()
    assert not has_short_calls(denoiser, make_metadata(input=ANY_SIZE))
    assert denoiser.shapes == []
