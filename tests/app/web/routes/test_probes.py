"""GET /livez, /readyz and /metrics."""

from pathlib import Path

from fastapi.testclient import TestClient

from app.main import create_app
from app.processing.admission import Admission
from app.settings import Settings
from tests.app.fakes import IdentityDenoiser


def test_probes_answer_when_the_models_are_ready(client: TestClient) -> None:
    assert client.get("/livez").json() == {"status": "live"}
    assert client.get("/readyz").json() == {"status": "ready"}


def test_a_draining_service_is_live_but_not_ready_and_takes_no_pictures(store: Path) -> None:
    settings = Settings(model_store=store, default_model="tiny")
    admission = Admission(slots=settings.queue_size)
    app = create_app(settings, load=lambda _folder: IdentityDenoiser(), admission=admission)
    with TestClient(app) as client:
        admission.is_draining = True
        assert client.get("/livez").status_code == 200
        for response in (client.get("/readyz"), client.post("/v1/denoise", content=b"x")):
            assert response.status_code == 503
            assert response.json()["type"] == "/problems/not-ready"
            assert int(response.headers["retry-after"]) >= 1
