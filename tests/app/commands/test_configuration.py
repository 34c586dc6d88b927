"""Settings as the commands read them."""

import pytest

from app.commands.configuration import unknown_variables


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("DENOISER_KEEPALIVE_S", "DENOISER_KEEPALIVE_S is no setting; is DENOISER_KEEP_ALIVE_S meant?"),
        ("denoiser_max_pixel", "denoiser_max_pixel is no setting; is DENOISER_MAX_PIXELS meant?"),
        ("DENOISER_COLOUR", "DENOISER_COLOUR is no setting"),
        ("DENOISER_", "DENOISER_ is no setting"),
    ],
)
def test_a_variable_that_is_no_setting_is_named_with_what_may_be_meant(name: str, complaint: str) -> None:
    assert list(unknown_variables({name: "1", "DENOISER_PORT": "1", "denoiser_host": "a", "PATH": "/"})) == [complaint]
