"""What tests of several rooms share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lotstream.deploy.embedded.kafka import EmbeddedKafka

SHARED = Path(__file__).parent.parent.parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of public vectors beside the project; tests that need it are skipped where it is missing."""
    if not SHARED.is_dir():
        pytest.skip("../shared/data is not here: the public vectors stay outside the project")
    return SHARED


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """A broker for the whole run; every test takes topics and groups of its own. Gives host:port."""
    with EmbeddedKafka() as broker:
        yield broker.bootstrap
