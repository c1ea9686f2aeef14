"""The real network, started once, and pictures of one person."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest


@pytest.fixture(scope="session")
def embedder() -> Iterator[object]:
    from emorec.people import extra

    if extra.missing():
        pytest.skip(f"the extra is not installed: {extra.INSTALL}")
    from emorec.people.embedding import FaceEmbedder

    embedder = FaceEmbedder()
    yield embedder
    embedder.close()


@pytest.fixture(scope="session")
def portrait() -> np.ndarray:
    import skimage.data

    return np.ascontiguousarray(skimage.data.astronaut()[:300, 60:400, ::-1])
