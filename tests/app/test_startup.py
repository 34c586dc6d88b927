"""The start of the service: it fails loudly, and follows the store."""

import threading
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.cpu_quota import available_cpus
from app.errors import ModelStoreError
from app.imaging.samples import FloatImage
from app.inference.denoiser import NoiseLevels
from app.inference.loop_calls import MAX_LOOP_CALL_S
from app.main import create_app
from app.settings import Settings
from tests.app.fakes import BrokenDenoiser, IdentityDenoiser, burn, write_version
from tests.app.pictures import encode, ring
from tests.app.serving import MakeClient


def test_a_broken_store_stops_the_start(store: Path) -> None:
    (store / "tiny/2/variables/variables.index").write_bytes(b"changed")
    app = create_app(Settings(model_store=store), load=lambda _folder: IdentityDenoiser())
    with pytest.raises(ModelStoreError, match=r"tiny/2/variables/variables\.index"), TestClient(app):
        pass


def test_a_network_that_fails_its_first_call_stops_the_start(store: Path) -> None:
    app = create_app(Settings(model_store=store, default_model="tiny"), load=lambda _folder: BrokenDenoiser())
    with pytest.raises(ModelStoreError, match="free/1: a call with 1 x 1 x 1 pixels failed: broken"), TestClient(app):
        pass


def test_what_is_freed_is_kept_while_the_service_runs(store: Path) -> None:
    before = list_threads()
    settings = Settings(model_store=store, default_model="tiny")
    with TestClient(create_app(settings, load=lambda _folder: IdentityDenoiser())):
        assert list_threads().count("malloc") == before.count("malloc") + 1
    assert list_threads().count("malloc") == before.count("malloc")


def list_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate()]


@pytest.mark.parametrize(
    ("workers", "seconds", "is_in_thread"),
    [(1000, 0.0, False), (1000, 2 * MAX_LOOP_CALL_S, True), (1, 0.0, available_cpus() > 1)],
    ids=["no core left", "no core left, long calls", "one worker"],
)
def test_short_calls_run_on_the_event_loop_where_no_core_is_left(
    store: Path, workers: int, seconds: float, is_in_thread: bool
) -> None:
    class LargeDenoiser(IdentityDenoiser):
        def denoise(self, images: FloatImage, noise_levels: NoiseLevels | None = None) -> FloatImage:
            burn(seconds)
            called.append(threading.current_thread().name)
            return super().denoise(images, noise_levels)

    called: list[str] = []
    settings = Settings(model_store=store, default_model="tiny", workers=workers)
    with TestClient(create_app(settings, load=lambda _folder: LargeDenoiser())) as client:
        for model in ("tiny", "free"):
            assert client.post("/v1/denoise", params={"model": model}, content=encode(ring())).status_code == 200
    assert ["inference" in name for name in called[-2:]] == [is_in_thread, True]


def test_a_version_that_is_added_answers_without_a_restart(make_client: MakeClient, store: Path) -> None:
    client = make_client(store_poll_s=0.001)
    write_version(store, "tiny", 3)
    while client.get("/v1/models/tiny").json()["versions"] != [1, 2, 3]:
        pass
    response = client.post("/v1/denoise", content=encode(ring()))
    assert response.headers["X-Model-Version"] == "3"
    states = {entry.pop("folder"): entry for entry in client.get("/v1/models").json()["states"]}
    assert set(states) == {"free/1", "told/1", "tiny/1", "tiny/2", "tiny/3"}
    assert all(set(entry) == {"state", "loaded_at"} and entry["state"] == "ready" for entry in states.values())


def test_a_process_that_replaces_another_starts_without_the_versions_that_are_broken(store: Path) -> None:
    (store / "tiny/2/saved_model.pb").write_bytes(b"changed")

    def load(folder: Path) -> IdentityDenoiser:
        return BrokenDenoiser() if folder.parent.name == "free" else IdentityDenoiser()

    app = create_app(Settings(model_store=store, default_model="tiny"), load=load, skips_broken=True)
    with TestClient(app) as client:
        listed = client.get("/v1/models").json()["models"]
    assert [(model["name"], model["versions"]) for model in listed] == [("tiny", [1]), ("told", [1])]
