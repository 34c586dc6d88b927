from pathlib import Path

import httpx2 as httpx
import pytest
from denoiser_client.errors import NoDenoiserError
from denoiser_client.results import read_result

from tests.client.denoiser_client.replies import HEADERS


def response(headers: dict[str, str]) -> httpx.Response:
    return httpx.Response(
        200, headers=headers, content=b"picture", request=httpx.Request("POST", "http://a/v1/denoise")
    )


def test_the_headers_describe_the_picture(tmp_path: Path) -> None:
    denoised = read_result(response(HEADERS | {"X-Noise-Level": "12.5"}))
    assert denoised.timing_ms == {"infer": 1.5, "total": 2.0}
    assert denoised.input_size == (640, 480)
    assert (denoised.noise_level, denoised.polarity, denoised.request_id) == (12.5, None, "r1")
    denoised.save(tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes() == b"picture"


@pytest.mark.parametrize("missing", ["X-Input-Size", "X-Model-Name", "Server-Timing"])
def test_without_them_it_is_no_denoiser(missing: str) -> None:
    with pytest.raises(NoDenoiserError):
        read_result(response({name: value for name, value in HEADERS.items() if name != missing}))
