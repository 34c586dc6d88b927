"""POST /v1/denoise/batch, through the whole application and a fake network."""

import asyncio
import base64
import json
import zipfile
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from PIL import Image
from starlette.types import Message, Receive

from app.inference.batching import EAGER_BATCH
from app.processing.batch import GROUP, WINDOW
from app.web.schemas import BatchResponse
from tests.app.fakes import FailingDenoiser, GatedDenoiser, IdentityDenoiser, InvertingDenoiser
from tests.app.pictures import decode, encode, ring
from tests.app.scraping import sample
from tests.app.serving import MakeClient

PICTURE = encode(ring())


def post(client: TestClient, *files: tuple[str, bytes], accept: str = "*/*", **query: Any) -> Response:  # noqa: ANN401  # parameters
    return client.post(
        "/v1/denoise/batch", files=[("files", file) for file in files], params=query, headers={"Accept": accept}
    )


def unpack(response: Response) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Return the pictures by name, and the manifest."""
    assert response.status_code == 200
    with zipfile.ZipFile(BytesIO(response.content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist()[-1] == "manifest.json"
        contents = {name: archive.read(name) for name in archive.namelist()}
    return contents, json.loads(contents.pop("manifest.json"))


def numbered(count: int) -> list[tuple[str, bytes]]:
    return [(f"{number}.png", PICTURE) for number in range(count)]


def test_the_response_is_a_zip_of_the_pictures_with_a_manifest_at_its_end(client: TestClient) -> None:
    response = post(client, ("one.jpeg", PICTURE), ("b/two.png", encode(255 - ring(56))))
    assert response.headers["content-type"] == "application/zip"
    assert response.headers["content-disposition"] == 'attachment; filename="denoised.zip"'
    assert response.headers["x-model-name"] == "tiny"
    pictures, manifest = unpack(response)
    assert list(pictures) == ["one.png", "b/two.png"]
    assert np.array_equal(decode(pictures["one.png"]), ring())
    assert (manifest["succeeded"], manifest["failed"]) == (2, 0)
    assert manifest["model"] == {"name": "tiny", "version": 2}
    first, second = manifest["items"]
    assert first["name"] == "one.jpeg"
    assert first["status"] == 200
    assert first["output"] == "one.png"
    assert first["model"] == {"name": "tiny", "version": 2}
    assert list(first["timing_ms"]) == ["decode", "queue", "infer", "encode", "total"]
    assert second["input"] == {
        "format": "PNG", "width": 56, "height": 56, "polarity": "dark-on-light", "noise_level": None
    }  # fmt: skip


def test_json_carries_the_pictures_in_base64(client: TestClient) -> None:
    response = post(client, ("one.png", PICTURE), ("bad.png", b"bad"), accept="application/json")
    assert response.headers["content-type"] == "application/json"
    body = BatchResponse.model_validate_json(response.content)
    good, bad = body.items
    assert good.image is not None
    assert np.array_equal(decode(base64.b64decode(good.image.base64)), ring())
    assert bad.image is None
    assert (body.succeeded, body.failed) == (1, 1)


def test_a_client_that_knows_only_binary_data_gets_the_zip(client: TestClient) -> None:
    response = post(client, ("one.png", PICTURE), accept="application/octet-stream")
    assert response.headers["content-type"] == "application/octet-stream"
    assert list(unpack(response)[0]) == ["one.png"]


def test_a_bad_file_fails_alone_by_name(client: TestClient) -> None:
    bad = [("text.png", b"no picture"), ("cut.png", PICTURE[: len(PICTURE) // 2]), ("empty.png", b"")]
    pictures, manifest = unpack(post(client, ("a.png", PICTURE), *bad, ("z.png", PICTURE)))
    assert list(pictures) == ["a.png", "z.png"]
    assert [(item["name"], item["status"]) for item in manifest["items"]] == [
        ("a.png", 200), ("text.png", 415), ("cut.png", 422), ("empty.png", 400), ("z.png", 200)
    ]  # fmt: skip
    problem = manifest["items"][1]["problem"]
    assert problem["type"] == "/problems/unsupported-format"
    assert "PNG" in problem["names"]
    assert "limit" not in problem
    assert manifest["items"][1].keys() == {"name", "status", "problem"}


def test_the_query_applies_to_every_picture(make_client: MakeClient) -> None:
    client = make_client(InvertingDenoiser())
    files = [(f"{number}.png", encode(ring()[:, 4:24])) for number in range(2)]
    pictures, manifest = unpack(post(client, *files, output_size="original", polarity="dark-on-light", version=1))
    assert [decode(picture).shape for picture in pictures.values()] == [(28, 20)] * 2
    assert [item["input"]["polarity"] for item in manifest["items"]] == ["dark-on-light"] * 2
    assert manifest["model"]["version"] == 1


def test_auto_judges_each_picture_and_its_item_names_the_model(client: TestClient) -> None:
    response = post(client, ("a.png", PICTURE), ("b.png", encode(ring(65))), model="auto", fit="pad")
    pictures, manifest = unpack(response)
    assert [item["model"]["name"] for item in manifest["items"]] == ["tiny", "free"]
    assert [decode(picture).shape for picture in pictures.values()] == [(28, 28), (65, 65)]
    assert "model" not in manifest
    assert "x-model-name" not in response.headers
    assert sample(client, "denoiser_batch_size_count", model="free") == 1
    assert sample(client, "denoiser_requests_total", route="/v1/denoise/batch", model="auto", status="200") == 1


@pytest.mark.parametrize(
    ("query", "status"), [({"model": "none"}, 404), ({"fit": "crop"}, 422), ({"model": "free", "fit": "pad"}, 422)]
)
def test_a_query_that_suits_no_picture_fails_the_whole_request(
    client: TestClient, query: dict[str, str], status: int
) -> None:
    assert post(client, ("a.png", PICTURE), **query).status_code == status


def test_pictures_share_the_networks_calls(make_client: MakeClient) -> None:
    network = IdentityDenoiser()
    client = make_client(network)
    seen = len(network.shapes)
    _, manifest = unpack(post(client, *numbered(2 * GROUP + 2)))
    calls = [shape[0] for shape in network.shapes[seen:]]
    assert calls[0] == EAGER_BATCH  # the network works while the rest is decoded
    assert len(calls) <= 2 * GROUP // EAGER_BATCH + 1
    assert [item["batch_size"] for item in manifest["items"][:EAGER_BATCH]] == [EAGER_BATCH] * EAGER_BATCH


def test_large_pictures_are_decoded_in_threads_and_keep_their_order(client: TestClient) -> None:
    rng = np.random.default_rng(0)
    sizes = rng.integers(20, 300, 20)
    files = [(f"{size}.png", encode(rng.integers(0, 256, (size, size), np.uint8))) for size in sizes]
    _, manifest = unpack(post(client, *files, model="free"))
    assert [item["input"]["width"] for item in manifest["items"]] == sizes.tolist()


def test_more_files_than_the_limit_are_refused(make_client: MakeClient) -> None:
    client = make_client(max_batch_files=3)
    assert post(client, *numbered(3)).status_code == 200
    response = post(client, *numbered(4))
    assert response.status_code == 413
    assert response.json()["type"] == "/problems/too-many-files"
    assert response.json()["limit"] == 3


def test_more_bytes_than_an_upload_may_have_are_refused(make_client: MakeClient) -> None:
    response = post(make_client(max_upload_bytes=3 * len(PICTURE)), *numbered(3))
    assert response.status_code == 413
    assert response.json()["type"] == "/problems/upload-too-large"


@pytest.mark.parametrize(
    ("accept", "query", "ending", "expected"),
    [
        ("*/*", {"format": "jpeg"}, "jpg", "JPEG"),
        ("application/zip, image/webp", {}, "webp", "WEBP"),
        ("application/zip, image/webp", {"format": "avif"}, "avif", "AVIF"),
    ],
)
def test_the_client_chooses_the_format_of_the_pictures(
    client: TestClient, accept: str, query: dict[str, str], ending: str, expected: str
) -> None:
    pictures, manifest = unpack(post(client, ("one.png", PICTURE), ("a/one.tif", PICTURE), accept=accept, **query))
    assert list(pictures) == [f"one.{ending}", f"a/one.{ending}"] == [item["output"] for item in manifest["items"]]
    assert {Image.open(BytesIO(content)).format for content in pictures.values()} == {expected}


def test_json_names_the_format_of_its_pictures(client: TestClient) -> None:
    response = post(client, ("one.png", PICTURE), accept="application/json", format="webp")
    (item,) = BatchResponse.model_validate_json(response.content).items
    assert item.image is not None
    assert item.image.media_type == "image/webp"


def test_the_response_can_be_neither_a_png_nor_a_page(client: TestClient) -> None:
    response = post(client, ("a.png", PICTURE), accept="image/png, text/html")
    assert response.status_code == 406
    assert response.json()["names"] == ["application/zip", "application/json", "application/octet-stream"]


def test_pictures_that_meet_a_full_pixel_budget_wait(make_client: MakeClient) -> None:
    client = make_client(max_pixels=40 * 40)  # two such pictures may be in work
    pictures, _ = unpack(post(client, *((f"{number}.png", encode(ring(40))) for number in range(10))))
    assert len(pictures) == 10


def test_a_picture_past_its_deadline_fails_alone_and_counts_as_dropped(make_client: MakeClient) -> None:
    network = GatedDenoiser()
    network.gate.set()
    client = make_client(network, request_timeout_s=0.05)
    network.gate.clear()
    _, manifest = unpack(post(client, ("bad.png", b"bad"), ("slow.png", PICTURE)))
    network.gate.set()
    assert [item["status"] for item in manifest["items"]] == [415, 503]
    assert manifest["items"][1]["problem"]["type"] == "/problems/deadline-exceeded"
    assert sample(client, "denoiser_dropped_total", cause="deadline-exceeded") == 1


def test_a_failing_network_is_a_500_for_its_pictures_without_the_cause(make_client: MakeClient) -> None:
    response = post(make_client(FailingDenoiser()), ("a.png", encode(255 - ring())), polarity="light-on-dark")
    _, manifest = unpack(response)
    assert manifest["items"][0]["status"] == 500
    assert b"secret" not in response.content


def test_a_batch_holds_one_slot_until_it_is_sent(make_client: MakeClient) -> None:
    network = GatedDenoiser()
    network.gate.set()
    client = make_client(network, queue_size=1)
    network.gate.clear()
    network.entered.clear()
    with ThreadPoolExecutor() as pool:
        first = pool.submit(post, client, *numbered(3))
        assert network.entered.wait(10)
        second = post(client, ("a.png", PICTURE))
        assert sample(client, "denoiser_in_work") == 1
        network.gate.set()
        assert first.result().status_code == 200
    assert second.status_code == 429
    assert post(client, ("a.png", PICTURE)).status_code == 200


def test_stages_and_batch_sizes_are_measured_for_every_picture(client: TestClient) -> None:
    post(client, ("a.png", PICTURE), ("bad.png", b"bad"), ("b.png", PICTURE))
    counted = {"route": "/v1/denoise/batch", "model": "tiny", "status": "200"}
    assert sample(client, "denoiser_requests_total", **counted) == 1
    for stage, count in {"read": 1, "decode": 2, "queue": 2, "infer": 2, "encode": 2, "total": 2}.items():
        assert sample(client, "denoiser_stage_seconds_count", stage=stage) == count
    assert sample(client, "denoiser_batch_size_sum", model="tiny") == 4


def test_a_client_that_leaves_ends_the_work_and_frees_the_slot(make_client: MakeClient) -> None:
    network = GatedDenoiser()
    network.gate.set()
    client = make_client(network, queue_size=1)
    network.gate.clear()
    seen = len(network.shapes)
    assert client.portal is not None
    sent = client.portal.call(leave_while_waiting, client, network)
    network.gate.set()
    assert [message["type"] for message in sent] == ["http.response.start"]
    assert len(unpack(post(client, ("a.png", PICTURE)))[0]) == 1
    assert sample(client, "denoiser_dropped_total", cause="client-gone") == 1
    assert network.shapes[seen:] == [
        (EAGER_BATCH, 28, 28, 1),
        (1, 28, 28, 1),
    ]  # one call had begun; then that of the next request


async def leave_while_waiting(client: TestClient, network: GatedDenoiser) -> list[Message]:
    """Send many pictures and close the connection as soon as the network works on some."""
    head = b'Content-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
    body = (b"--x\r\n" + head + PICTURE + b"\r\n") * 2 * WINDOW + b"--x--"
    messages: list[Message] = [{"type": "http.request", "body": body}]

    async def receive() -> Message:
        if messages:
            return messages.pop()
        await asyncio.to_thread(network.entered.wait, 10)
        return {"type": "http.disconnect"}

    network.entered.clear()
    before = asyncio.all_tasks()
    sent = await call(client, receive)
    assert asyncio.all_tasks() <= before
    return sent


async def call(client: TestClient, receive: Receive) -> list[Message]:
    """Call the application with the body that ``receive`` returns."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": "/v1/denoise/batch",
        "query_string": b"",
        "headers": [(b"content-type", b"multipart/form-data; boundary=x")],
        "state": client.app_state.copy(),
    }
    await client.app(scope, receive, send)
    return sent


def test_a_client_that_leaves_while_it_sends_is_only_logged(client: TestClient) -> None:
    messages: list[Message] = [
        {"type": "http.disconnect"},
        {"type": "http.request", "body": b"--x\r\n", "more_body": True},
    ]

    async def receive() -> Message:
        return messages.pop()

    assert client.portal is not None
    assert client.portal.call(call, client, receive)[0]["status"] == 499


def test_pictures_that_do_not_arrive_in_time_are_a_503(make_client: MakeClient) -> None:
    client = make_client(request_timeout_s=0.05)

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise NotImplementedError

    assert client.portal is not None
    start = client.portal.call(call, client, receive)[0]
    assert start["status"] == 503
    assert b"retry-after" in dict(start["headers"])
