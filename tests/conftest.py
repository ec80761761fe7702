"""What every test shares: repeatable property tests and the root of the checkout."""

from pathlib import Path

import pytest
from hypothesis import settings

# The same examples on every machine and in every run, and no verdict that depends on a machine's speed.
settings.register_profile("derive", derandomize=True, deadline=None, database=None, print_blob=False)
settings.load_profile("derive")


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the checkout: pyproject.toml, derive/, templates/, outputs/, tests/, docs/."""
    return Path(__file__).resolve().parents[1]
