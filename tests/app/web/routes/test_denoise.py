"""POST /v1/denoise, through the whole application and a fake network."""

import base64
import shutil
import threading
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from numpy.typing import NDArray
from PIL import Image
from starlette.types import Message

from app.access.keyring import Caller
from app.processing.admission import Admission, Slot
from tests.app.fakes import ANY_SIZE, GatedDenoiser, InvertingDenoiser, write_version
from tests.app.pictures import decode, encode, ring
from tests.app.serving import MakeClient

STAGES = ["read", "decode", "queue", "infer", "encode", "total"]
CONTRACT_HEADERS = [
    "Server-Timing",
    "X-Model-Name",
    "X-Model-Version",
    "X-Input-Size",
    "X-Polarity",
    "X-Batch-Size",
    "X-Request-ID",
    "Content-Disposition",
]


def test_a_raw_body_returns_a_gray_png_of_the_networks_size(client: TestClient) -> None:
    response = client.post("/v1/denoise", content=encode(ring()))
    assert response.status_code == 200
    assert response.headers["content-type"] == "image/png"
    assert Image.open(BytesIO(response.content)).mode == "L"
    assert np.array_equal(decode(response.content), ring())


def test_every_header_of_the_contract_is_present(client: TestClient) -> None:
    response = client.post("/v1/denoise", content=encode(ring(56)))
    assert [name for name in CONTRACT_HEADERS if name not in response.headers] == []
    timing = dict(entry.split(";dur=") for entry in response.headers["server-timing"].split(", "))
    assert list(timing) == STAGES
    assert float(timing["total"]) >= max(float(timing[stage]) for stage in STAGES[:-1])
    assert response.headers["x-model-name"] == "tiny"
    assert response.headers["x-model-version"] == "2"
    assert response.headers["x-input-size"] == "56x56"
    assert response.headers["x-polarity"] == "light-on-dark"
    assert response.headers["x-batch-size"] == "1"


def test_the_response_is_named_after_the_uploaded_file(client: TestClient) -> None:
    response = client.post("/v1/denoise", files={"file": ("my seven.jpeg", encode(ring()), "image/png")})
    assert response.headers["content-disposition"] == 'inline; filename="my seven-denoised.png"'


def test_json_carries_the_picture_the_model_the_input_and_the_times(client: TestClient) -> None:
    response = client.post(
        "/v1/denoise",
        content=encode(255 - ring()[:, 4:24]),
        params={"version": 1, "output_size": "original"},
        headers={"Accept": "application/json"},
    )
    body = response.json()
    assert list(body["timing_ms"]) == STAGES
    picture = decode(base64.b64decode(body["image"].pop("base64")))
    assert picture.shape == (28, 20)
    assert body["image"] == {"media_type": "image/png", "width": 20, "height": 28}
    assert body["model"] == {"name": "tiny", "version": 1}
    assert body["input"] == {
        "format": "PNG",
        "width": 20,
        "height": 28,
        "polarity": "dark-on-light",
        "noise_level": None,
    }
    assert body["batch_size"] == 1


def test_dark_ink_reaches_the_network_as_light_ink_and_comes_back_dark(make_client: MakeClient) -> None:
    client = make_client(InvertingDenoiser())
    response = client.post("/v1/denoise", content=encode(255 - ring()))
    assert response.headers["x-polarity"] == "dark-on-light"
    assert np.array_equal(decode(response.content), ring())


def test_a_given_polarity_is_not_judged(client: TestClient) -> None:
    response = client.post("/v1/denoise", content=encode(255 - ring()), params={"polarity": "light-on-dark"})
    assert response.headers["x-polarity"] == "light-on-dark"


@pytest.mark.parametrize("fit", ["stretch", "pad", "mnist"])
def test_original_size_is_the_size_of_the_upload_for_every_fit(client: TestClient, fit: str) -> None:
    upload = np.pad(ring(150), ((10, 40), (90, 20)))
    response = client.post("/v1/denoise", content=encode(upload), params={"fit": fit, "output_size": "original"})
    assert decode(response.content).shape == upload.shape


def test_a_network_of_any_size_gets_the_picture_unchanged(client: TestClient) -> None:
    upload = np.arange(17 * 23, dtype=np.uint8).reshape(17, 23)
    response = client.post("/v1/denoise", content=encode(upload), params={"model": "free"})
    assert np.array_equal(decode(response.content), upload)
    assert "x-polarity" not in response.headers
    assert "x-noise-level" not in response.headers


@pytest.mark.parametrize(
    ("size", "query", "name", "version"),
    [(64, {}, "tiny", "2"), (65, {}, "free", "1"), (300, {}, "free", "1"), (300, {"fit": "mnist"}, "tiny", "2")],
)
def test_auto_chooses_the_model_by_the_size_and_the_headers_name_it(
    client: TestClient, size: int, query: dict[str, str], name: str, version: str
) -> None:
    response = client.post("/v1/denoise", content=encode(ring(size)), params={"model": "auto", **query})
    assert (response.headers["x-model-name"], response.headers["x-model-version"]) == (name, version)
    assert decode(response.content).shape == ((28, 28) if name == "tiny" else (size, size))
    assert ("x-polarity" in response.headers) == (name == "tiny")


def test_under_auto_each_picture_is_read_as_its_model_needs_it(client: TestClient) -> None:
    query = {"model": "auto", "polarity": "light-on-dark"}
    for size, backdrop in ((20, 0), (80, 255)):
        clear = Image.new("RGBA", (size, size), (200, 100, 50, 0))
        response = client.post("/v1/denoise", content=encode(clear), params=query)
        assert np.unique(decode(response.content)).tolist() == [backdrop]
    colored = client.post("/v1/denoise", content=encode(Image.new("RGB", (80, 80), (200, 100, 50))), params=query)
    assert decode(colored.content).shape == (80, 80, 3)


def test_auto_can_be_the_default(make_client: MakeClient, store: Path) -> None:
    shutil.rmtree(store / "told")
    shutil.rmtree(store / "free")
    write_version(store, "digits", 1)
    write_version(store, "photo", 1, input=ANY_SIZE)
    client = make_client(default_model="auto")
    for size, name in ((28, "digits"), (100, "photo")):
        response = client.post("/v1/denoise", content=encode(ring(size)))
        assert response.headers["x-model-name"] == name
    assert client.get("/v1/models").json()["default"] == "auto"
    assert client.post("/v1/denoise?version=1", content=encode(ring())).json()["parameter"] == "version"


def noisy_gray(sigma: float = 20) -> NDArray[np.uint8]:
    noise = np.random.default_rng(0).normal(128, sigma, (90, 120))
    return np.rint(noise).clip(0, 255).astype(np.uint8)


def test_the_noise_level_is_estimated_and_returned_on_the_8_bit_scale(client: TestClient) -> None:
    response = client.post("/v1/denoise", content=encode(noisy_gray()), params={"model": "told"})
    assert float(response.headers["x-noise-level"]) == pytest.approx(20, abs=1)
    body = client.post(
        "/v1/denoise", content=encode(noisy_gray()), params={"model": "told"}, headers={"Accept": "application/json"}
    ).json()
    assert body["input"]["noise_level"] == float(response.headers["x-noise-level"])


def test_a_given_noise_level_is_not_estimated(client: TestClient) -> None:
    query = {"model": "told", "noise_level": "12.5", "strength": "2"}
    response = client.post("/v1/denoise", content=encode(noisy_gray()), params=query)
    assert response.headers["x-noise-level"] == "12.5"


@pytest.mark.parametrize(
    ("bit_depth", "mode", "scale"), [(None, "L", 1), ("8", "L", 1), ("16", "I;16", 257), ("same", "I;16", 257)]
)
def test_16_bit_gray_is_returned_with_the_requested_bits(
    client: TestClient, bit_depth: str | None, mode: str, scale: int
) -> None:
    upload = noisy_gray().astype(np.uint16) * 257
    query = {"model": "told"} | ({"bit_depth": bit_depth} if bit_depth else {})
    response = client.post("/v1/denoise", content=encode(upload), params=query)
    with Image.open(BytesIO(response.content)) as image:
        assert image.mode == mode
        assert np.array_equal(np.asarray(image), noisy_gray().astype(int) * scale)


def test_the_same_bit_depth_as_8_bits_is_8_bits(client: TestClient) -> None:
    response = client.post("/v1/denoise", content=encode(noisy_gray()), params={"model": "told", "bit_depth": "same"})
    assert np.array_equal(decode(response.content), noisy_gray())


@pytest.mark.parametrize(("color", "shape"), [(None, (23, 17, 3)), ("gray", (23, 17)), ("keep", (23, 17, 3))])
def test_colour_is_kept_unless_gray_is_asked_for(client: TestClient, color: str | None, shape: tuple[int, ...]) -> None:
    upload = np.random.default_rng(0).integers(0, 256, (23, 17, 3)).astype(np.uint8)
    query = {"model": "free"} | ({"color": color} if color else {})
    pixels = decode(client.post("/v1/denoise", content=encode(upload), params=query).content)
    assert pixels.shape == shape


@pytest.mark.parametrize(
    "query",
    [{"fit": "pad"}, {"polarity": "light-on-dark"}, {"output_size": "model"}],
    ids=lambda query: next(iter(query)),
)
def test_a_parameter_that_the_network_cannot_use_is_refused(client: TestClient, query: dict[str, str]) -> None:
    response = client.post("/v1/denoise", content=encode(ring()), params={"model": "free"} | query)
    assert response.status_code == 422
    assert response.json()["parameter"] == next(iter(query))


def test_a_large_picture_is_denoised_too(client: TestClient) -> None:
    response = client.post("/v1/denoise", content=encode(np.kron(ring(), np.ones((30, 30), np.uint8))))
    assert np.array_equal(decode(response.content), ring())


@pytest.mark.parametrize(
    ("query", "accept"), [({}, "text/html"), ({"format": "webp"}, "image/png")], ids=["no image", "another format"]
)
def test_an_accept_header_without_the_image_or_json_is_not_acceptable(
    client: TestClient, query: dict[str, str], accept: str
) -> None:
    response = client.post("/v1/denoise", content=encode(ring()), params=query, headers={"Accept": accept})
    assert response.status_code == 406


@pytest.mark.parametrize(
    ("output_format", "ending"), [("png", "png"), ("jpeg", "jpg"), ("webp", "webp"), ("avif", "avif")]
)
@pytest.mark.parametrize("way", ["parameter", "Accept"])
def test_the_client_chooses_the_format(client: TestClient, output_format: str, ending: str, way: str) -> None:
    media_type = f"image/{output_format}"
    query, headers = ({"format": output_format}, {}) if way == "parameter" else ({}, {"Accept": media_type})
    response = client.post("/v1/denoise", content=encode(ring()), params=query, headers=headers)
    assert response.headers["content-type"] == media_type
    assert response.headers["content-disposition"] == f'inline; filename="image-denoised.{ending}"'
    assert Image.open(BytesIO(response.content)).format == output_format.upper()


def test_json_carries_the_format_that_the_parameter_names(client: TestClient) -> None:
    response = client.post(
        "/v1/denoise",
        content=encode(ring()),
        params={"format": "jpeg", "quality": "50"},
        headers={"Accept": "application/json"},
    )
    image = response.json()["image"]
    assert image["media_type"] == "image/jpeg"
    assert Image.open(BytesIO(base64.b64decode(image["base64"]))).format == "JPEG"


@pytest.mark.parametrize("query", [{"bit_depth": "16"}, {"bit_depth": "same"}])
def test_16_bits_are_not_encoded_as_a_jpeg(client: TestClient, query: dict[str, str]) -> None:
    deep = encode(ring().astype(np.uint16) * 257)
    query = {"model": "free"} | query
    for format_, headers in (({"format": "jpeg"}, {}), ({}, {"Accept": "image/jpeg"})):
        response = client.post("/v1/denoise", content=deep, params=query | format_, headers=headers)
        assert response.status_code == 422
        assert "16 bits" in response.json()["detail"]


def test_a_full_queue_refuses_before_the_body_is_read(make_client: MakeClient) -> None:
    network = GatedDenoiser()
    network.gate.set()
    client = make_client(network, queue_size=1)
    network.gate.clear()
    network.entered.clear()
    with ThreadPoolExecutor() as pool:
        first = pool.submit(client.post, "/v1/denoise", content=encode(ring()))
        assert network.entered.wait(10)
        second = client.post("/v1/denoise", content=b"not even a picture")
        network.gate.set()
        assert first.result().status_code == 200
    assert second.status_code == 429
    assert second.json()["limit"] == 1
    assert int(second.headers["retry-after"]) >= 1


class WatchedAdmission(Admission):
    """Reports when a request asks for a slot while there is none."""

    def __init__(self) -> None:
        super().__init__(slots=1, patience_s=60)
        self.is_full = False
        self.is_waited_for = threading.Event()

    async def admit(self, caller: Caller | None = None) -> Slot:
        if self.is_full:
            self.is_waited_for.set()
        slot = await super().admit(caller)
        self.is_full = True
        return slot


@pytest.mark.parametrize(("path", "part"), [("/v1/denoise", "file"), ("/v1/denoise/batch", "files")])
def test_a_request_waits_a_moment_for_a_slot(make_client: MakeClient, path: str, part: str) -> None:
    network, admission = GatedDenoiser(), WatchedAdmission()
    network.gate.set()
    client = make_client(network, admission=admission)
    network.gate.clear()
    with ThreadPoolExecutor() as pool:
        first = pool.submit(client.post, "/v1/denoise", content=encode(ring()))
        second = pool.submit(client.post, path, files={part: encode(ring())})
        assert admission.is_waited_for.wait(10)
        network.gate.set()
        assert [first.result().status_code, second.result().status_code] == [200, 200]


def test_pictures_in_work_leave_no_room_for_too_many_pixels(make_client: MakeClient) -> None:
    network = GatedDenoiser()
    network.gate.set()
    client = make_client(network, max_pixels=40 * 40)  # two such pictures may be in work
    network.gate.clear()
    with ThreadPoolExecutor() as pool:
        requests = [pool.submit(client.post, "/v1/denoise", content=encode(ring(40))) for _ in range(3)]
        refused, accepted = wait(requests, timeout=10, return_when=FIRST_COMPLETED)
        network.gate.set()
        assert [request.result().status_code for request in refused] == [429]
        assert [request.result().status_code for request in accepted] == [200, 200]


def test_the_picture_of_a_client_that_leaves_is_removed_from_the_queue(make_client: MakeClient) -> None:
    network = GatedDenoiser()
    network.gate.set()
    client = make_client(network)
    network.gate.clear()
    network.entered.clear()
    seen = len(network.shapes)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(client.post, "/v1/denoise", content=encode(ring()))
        assert network.entered.wait(10)
        assert client.portal is not None
        assert client.portal.call(leave_after_the_body, client, encode(ring())) == 499
        network.gate.set()
        assert first.result().status_code == 200
    assert client.post("/v1/denoise", content=encode(ring())).status_code == 200
    assert network.shapes[seen:] == [(1, 28, 28, 1), (1, 28, 28, 1)]


async def leave_after_the_body(client: TestClient, body: bytes) -> int:
    """Send a picture and close the connection; return the status that the client no longer reads."""
    messages: list[Message] = [{"type": "http.request", "body": body}, {"type": "http.disconnect"}]
    sent: list[Message] = []

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": "/v1/denoise",
        "query_string": b"",
        "headers": [],
        "state": client.app_state.copy(),
    }
    await client.app(scope, receive, send)
    status: int = sent[0]["status"]
    return status


def test_a_request_past_its_deadline_is_a_503(make_client: MakeClient) -> None:
    network = GatedDenoiser()
    network.gate.set()
    client = make_client(network, request_timeout_s=0.05)
    network.gate.clear()
    response = client.post("/v1/denoise", content=encode(ring()))
    network.gate.set()
    assert response.status_code == 503
    assert response.json()["type"] == "/problems/deadline-exceeded"
    assert int(response.headers["retry-after"]) >= 1


def test_the_deadline_grows_with_the_pixels(make_client: MakeClient) -> None:
    network = GatedDenoiser()
    network.gate.set()
    client = make_client(network, request_timeout_s=0.05, request_timeout_s_per_megapixel=10**5)
    network.gate.clear()
    threading.Timer(0.1, network.gate.set).start()  # after the deadline of a picture without pixels
    assert client.post("/v1/denoise", content=encode(ring())).status_code == 200
