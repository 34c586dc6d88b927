from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from denoiser_client import BusyError, Client, ConnectionFailedError, NoDenoiserError, Outcome, Picture, RequestError

from tests.app.pictures import encode, ring
from tests.app.serving import Response, answering
from tests.client.denoiser_client.replies import HEADERS, busy

PICTURE = encode(ring())


def test_a_picture_is_denoised_and_described(url: str, tmp_path: Path) -> None:
    path = tmp_path / "seven.png"
    path.write_bytes(PICTURE)
    with Client(url) as client:
        for picture in (path, str(path), PICTURE, bytearray(PICTURE), ring()):
            denoised = client.denoise(picture)
            assert np.array_equal(denoised.to_array(), ring())
            assert str(denoised.model) == "tiny/2"
            assert denoised.polarity == "light-on-dark"
            assert denoised.timing_ms["total"] > 0


def test_options_are_the_parameters_of_the_service(url: str) -> None:
    with Client(url) as client:
        denoised = client.denoise(ring(80), model="told", noise_level=9, format="webp", quality=50)
    assert (denoised.media_type, denoised.noise_level, denoised.input_size) == ("image/webp", 9.0, (80, 80))
    assert denoised.to_image().format == "WEBP"


def test_the_model_is_chosen_by_the_size_unless_it_is_named(url: str) -> None:
    with Client(url) as client:
        assert client.denoise(ring(80)).model.name == "free"
        assert client.denoise(ring(80), model="tiny").model.name == "tiny"
        assert str(client.denoise(ring(80), version=1).model) == "tiny/1"


def test_what_the_service_refuses_is_an_error_with_the_fields_of_the_problem(url: str) -> None:
    with Client(url) as client, pytest.raises(RequestError) as refusal:
        client.denoise(PICTURE, model="none")
    assert (refusal.value.status, refusal.value.type) == (404, "/problems/model-not-found")
    assert refusal.value.names == ["free", "tiny", "told"]
    assert refusal.value.request_id


def test_the_models_are_listed(url: str) -> None:
    with Client(url) as client:
        assert client.models()["auto"]["large"] == "free"


def test_many_pictures_are_denoised_in_their_order_and_fail_alone(url: str) -> None:
    pictures: list[Picture] = [ring(20 + number) for number in range(20)]
    pictures[3] = b"no picture"
    pictures[5] = "absent.png"
    with Client(url) as client:
        outcomes = list(client.denoise_many(pictures, in_flight=3, model="free"))
    assert [outcome.picture is picture for outcome, picture in zip(outcomes, pictures, strict=True)] == [True] * 20
    sizes = [outcome.denoised.input_size[0] if outcome.denoised else None for outcome in outcomes]
    assert sizes == [None if number in (3, 5) else 20 + number for number in range(20)]
    assert isinstance(outcomes[3].error, RequestError)
    assert isinstance(outcomes[5].error, FileNotFoundError)


def test_many_pictures_are_read_only_when_they_are_needed(url: str) -> None:
    taken = 0

    def endless() -> Iterator[Picture]:
        nonlocal taken
        while True:
            taken += 1
            yield PICTURE

    with Client(url) as client:
        outcomes = client.denoise_many(endless(), in_flight=2)
        assert isinstance(next(outcomes), Outcome)
        outcomes.close()
    assert taken == 4


@pytest.mark.parametrize("status", [429, 503])
def test_a_picture_is_sent_again_while_the_service_is_busy(status: int) -> None:
    replies: list[Response | None] = [busy(status), None, busy(status)]
    with answering(lambda path, body: replies.pop() if replies else (200, HEADERS, body)) as url, Client(url) as client:
        assert client.denoise(PICTURE).content == PICTURE


def test_after_all_tries_the_last_refusal_is_the_error() -> None:
    asked: list[str] = []

    def refuse(path: str, body: bytes) -> Response:
        asked.append(path)
        return busy()

    with answering(refuse) as url, Client(url, tries=4) as client, pytest.raises(BusyError, match="Busy") as refusal:
        client.denoise(PICTURE)
    assert len(asked) == 4
    assert refusal.value.request_id == "r2"


@pytest.mark.parametrize("reply", [(502, {}, b"<h1>Bad gateway</h1>"), (200, {}, b"hello"), (404, {}, b"{}")])
def test_another_service_is_recognised(reply: Response) -> None:
    with answering(lambda path, body: reply) as url, Client(url) as client:
        with pytest.raises(NoDenoiserError, match=f"status {reply[0]}"):
            client.denoise(PICTURE)
        with pytest.raises(NoDenoiserError):
            client.models()


def test_a_service_that_is_not_there_is_an_error_in_the_words_of_the_system() -> None:
    with Client("http://me:secret@127.0.0.1:9") as client, pytest.raises(ConnectionFailedError) as failed:
        client.denoise(PICTURE)
    assert str(failed.value) == "no response from http://127.0.0.1:9: Connection refused"
    assert failed.value.reason == "Connection refused"


def test_an_address_without_a_scheme_is_refused() -> None:
    with pytest.raises(ValueError, match="localhost:8000: the address of a service starts with http://"):
        Client("localhost:8000")
