# tests/e2e/conftest.py
"""One running system for the tests that do not break it."""

from collections.abc import Iterator

import pytest

from tests.e2e.effects import SHOP, give_for_events
from tests.local_system import LocalSystem, running


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSystem]:
    with running(tmp_path_factory.mktemp("system")) as system:
        system.found_shop(SHOP)
        give_for_events(system)
        yield system
