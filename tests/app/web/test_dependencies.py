"""What the routes get from the service and the request."""

from fastapi.testclient import TestClient

from app.processing.options import Choice, Options
from app.web.dependencies import Service
from tests.app.pictures import encode, ring
from tests.app.serving import MakeClient


def test_a_process_uses_the_network_and_the_limits_of_the_service(make_client: MakeClient) -> None:
    service: Service = make_client(max_pixels=1234).app_state["service"]
    snapshot = service.networks.current
    for model in snapshot.catalogue:
        choice = Choice.always(Options(model))
        process = service.process(snapshot, choice)
        assert process.batchers is snapshot.batchers
        assert process.choice is choice
        assert process.pool is service.pool
        assert process.max_pixels == 1234
    assert len({id(batcher) for batcher in snapshot.batchers.values()}) == 4


def test_a_repeated_parameter_is_refused_although_fastapi_takes_the_last(client: TestClient) -> None:
    response = client.post("/v1/denoise/batch?fit=pad&fit=pad", files={"files": encode(ring())})
    assert response.status_code == 422
    assert response.json()["parameter"] == "fit"
    assert "more than once" in response.json()["detail"]
