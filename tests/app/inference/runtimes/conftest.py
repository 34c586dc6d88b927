from pathlib import Path

import pytest

from tests.app.inference.runtimes.networks import NAMES, Load, export, loader


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """See networks.export."""
    return export(tmp_path_factory.mktemp("saved_model"))


@pytest.fixture(params=NAMES)
def load(request: pytest.FixtureRequest) -> Load:
    """Load a folder, with one runtime after the other."""
    return loader(request.param)
