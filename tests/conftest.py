"""Fixtures for all suites. Run with /usr/bin/python3 -m pytest from the project's root."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.dont_write_bytecode = True

from harness import Postgres  # noqa: E402


@pytest.fixture(scope="session")
def postgres():
    """One private cluster for the session. Tests that stop it start it again."""
    with Postgres() as cluster:
        yield cluster
