"""A service over a store of fakes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.main import create_app
from app.settings import Settings
from tests.app.fakes import IdentityDenoiser, InProcessDecoder, write_store
from tests.app.serving import serving


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real server whose networks return their input."""
    settings = Settings(model_store=write_store(tmp_path_factory.mktemp("store") / "store"), default_model="tiny")
    app = create_app(settings, load=lambda _folder: IdentityDenoiser(), decoders=InProcessDecoder())
    with serving(app) as address:
        yield address


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, in which the test runs."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
