"""What all tests share."""

import pytest
from hypothesis import HealthCheck, settings

# The same inputs in every run, so that no run fails by chance; `--hypothesis-profile=search` draws new ones, and more.
# A busy machine is no failure, either.
settings.register_profile("any speed", deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fixed", settings.get_profile("any speed"), derandomize=True, max_examples=50)
settings.register_profile("search", settings.get_profile("any speed"), max_examples=2000)
settings.load_profile("fixed")


@pytest.fixture
def anyio_backend() -> str:
    """Run tests that are coroutines on asyncio."""
    return "asyncio"
