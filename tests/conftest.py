"""What all tests share."""

import pytest
from hypothesis import settings

# The same inputs in every run, so that no run fails by chance; `--hypothesis-profile=search` draws new ones, and more.
settings.register_profile("fixed", derandomize=True, deadline=None, database=None, max_examples=50)
settings.register_profile("search", deadline=None, database=None, max_examples=2000)
settings.load_profile("fixed")


@pytest.fixture
def anyio_backend() -> str:
    """Run tests that are coroutines on asyncio."""
    return "asyncio"
