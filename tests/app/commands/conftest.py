"""A store, a folder of pictures and a service, for commands that run in this process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.main import create_app
from app.settings import Settings
from tests.app.fakes import IdentityDenoiser
from tests.app.pictures import encode, ring
from tests.app.serving import serving


@pytest.fixture(autouse=True)
def _settings(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DENOISER_MODEL_STORE", str(store))
    monkeypatch.setenv("DENOISER_DEFAULT_MODEL", "tiny")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder with three pictures, one of them in a nested folder."""
    folder = tmp_path / "in"
    for name in ("a.png", "b.png", "sub/deep/c.png"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(ring()))
    return folder


@pytest.fixture
def url(store: Path) -> Iterator[str]:
    """The address of a real server whose networks return their input."""
    settings = Settings(model_store=store, default_model="tiny")
    with serving(create_app(settings, load=lambda _folder: IdentityDenoiser())) as address:
        yield address
