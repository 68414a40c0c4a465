"""What tests of several rooms share."""

from pathlib import Path

import pytest

SHARED = Path(__file__).parent.parent.parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of public vectors beside the project; tests that need it are skipped where it is missing."""
    if not SHARED.is_dir():
        pytest.skip("../shared/data is not here: the public vectors stay outside the project")
    return SHARED
