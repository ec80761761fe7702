"""What every test shares: repeatable property tests and the root of the checkout."""

import os
import re
from pathlib import Path

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

# The same examples on every machine and in every run, and no verdict that depends on a machine's speed.
settings.register_profile("derive", derandomize=True, deadline=None, database=None, print_blob=False)
settings.load_profile("derive")


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the checkout: pyproject.toml, derive/, templates/, outputs/, tests/, docs/."""
    return Path(__file__).resolve().parents[1]


# ---- several processes ----------------------------------------------------------------------------------------------


def pytest_xdist_auto_num_workers(config):
    """A process a core for the whole suite; one alone for a few tests, which would wait for the others to start."""
    option = config.option
    few = option.keyword or option.usepdb or any("::" in argument for argument in config.args)
    return 0 if few else os.cpu_count()


def pytest_xdist_make_scheduler(config, log):
    return _Together(config, log)


class _Together(LoadScopeScheduling):
    """What shares its proofs stays in one process: the tests of an entry, and those of any other file."""

    def _split_scope(self, nodeid):
        file, _, test = nodeid.partition("::")
        if not file.endswith("test_catalogue.py"):
            return file
        entry = re.search(r"\[([a-z0-9-]+?)(?:-solution|-practice)?\]$", test)
        return f"{file} {entry[1] if entry else test}"
