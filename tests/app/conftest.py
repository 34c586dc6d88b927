"""An application over a store of fakes, and a client that calls it in this process."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.inference.denoiser import Denoiser
from app.main import create_app
from app.processing.admission import Admission
from app.settings import Settings
from tests.app.fakes import IdentityDenoiser, InProcessDecoder, write_store
from tests.app.serving import MakeClient


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """See write_store."""
    return write_store(tmp_path / "store")


@pytest.fixture
def make_client(store: Path) -> Iterator[MakeClient]:
    """Start applications over the store; ``denoiser`` stands in for every network, the rest are settings."""
    with ExitStack() as stack:

        def make(
            denoiser: Denoiser | None = None, *, admission: Admission | None = None, **settings: object
        ) -> TestClient:
            chosen = Settings(**{"model_store": store, "default_model": "tiny"} | settings)  # type: ignore[arg-type]
            app = create_app(
                chosen,
                load=lambda _folder: denoiser or IdentityDenoiser(),
                admission=admission,
                decoders=InProcessDecoder(chosen.max_pixels),
            )
            return stack.enter_context(TestClient(app, raise_server_exceptions=False))

        yield make


@pytest.fixture
def client(make_client: MakeClient) -> TestClient:
    """A client of an application whose networks return their input."""
    return make_client()
