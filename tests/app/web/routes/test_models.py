"""GET /v1/models, one model, and one version."""

from fastapi.testclient import TestClient


def test_the_list_names_the_default_and_every_model_with_its_versions(client: TestClient) -> None:
    body = client.get("/v1/models").json()
    assert body["default"] == "tiny"
    assert [(model["name"], model["versions"]) for model in body["models"]] == [
        ("free", [1]),
        ("tiny", [1, 2]),
        ("told", [1]),
    ]
    assert body["auto"] == {"small_side_px": 64, "small": "tiny", "large": "free"}


def test_a_model_is_described_by_its_highest_version(client: TestClient) -> None:
    body = client.get("/v1/models/tiny").json()
    assert set(body) == {"name", "versions", "description", "input", "noise_level", "metrics"}
    assert body["description"] == "The second"
    assert body["metrics"] == {"psnr_db": 20.0}


def test_a_version_shows_its_metadata_without_the_files(client: TestClient) -> None:
    body = client.get("/v1/models/tiny/versions/1").json()
    assert body["name"] == "tiny"
    assert body["version"] == 1
    assert body["created"] == "2026-11-23T12:00:00Z"
    assert "files" not in body


def test_an_unknown_model_or_version_is_a_404_that_lists_the_known_ones(client: TestClient) -> None:
    assert client.get("/v1/models/huge").json()["names"] == ["free", "tiny", "told"]
    response = client.get("/v1/models/tiny/versions/9")
    assert response.status_code == 404
    assert response.json()["names"] == ["1", "2"]


def test_a_version_that_is_not_a_number_is_named_as_the_wrong_parameter(client: TestClient) -> None:
    response = client.get("/v1/models/tiny/versions/latest")
    assert response.status_code == 422
    assert response.json()["parameter"] == "version"
