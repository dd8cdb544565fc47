"""What all tests share. Numba's kernels run on one thread whatever its settings are."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

os.environ["MPLBACKEND"] = "Agg"

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # started in the background: tests of Ctrl-C would hang
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("co-gym", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("co-gym")

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of public benchmark instances beside the repository."""
    folder = (REPOSITORY / "../shared/data").resolve()
    if not folder.is_dir():
        pytest.skip(f"no benchmark data: {folder} is no folder")
    return folder


@pytest.fixture(scope="session")
def data() -> Path:
    """Small real files that come with the repository."""
    return REPOSITORY / "tests" / "data"
