"""Fixtures and tiers for all suites. Run with /usr/bin/python3 -m pytest from the project's root."""
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.dont_write_bytecode = True

from harness import Postgres, Product  # noqa: E402

TIER = os.environ.get("TIER", "test")


def pytest_configure(config):
    config.addinivalue_line("markers", "full: runs in test-full only (long, or kills many processes)")
    config.addinivalue_line("markers", "soak: runs in soak only (a long load)")


def pytest_collection_modifyitems(config, items):
    """The tier decides: test leaves out full and soak, full leaves out soak, soak runs nothing else."""
    def wanted(item):
        soak = item.get_closest_marker("soak") is not None
        return soak if TIER == "soak" else not soak and (TIER == "full" or item.get_closest_marker("full") is None)

    config.hook.pytest_deselected(items=[i for i in items if not wanted(i)])
    items[:] = [i for i in items if wanted(i)]


@pytest.fixture(scope="session")
def postgres():
    """One private cluster for the session. Tests that stop it start it again."""
    with Postgres() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def product():
    """The whole product with its sample data. Tests that take a part away bring it back."""
    with Product() as running:
        yield running
