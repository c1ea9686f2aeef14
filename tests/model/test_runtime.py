"""The two runtimes of one model agree, so that what is trained is what is shown."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from emorec.model.contract import WEIGHTS, read
from emorec.model.runtime import KerasRuntime, LiteRTRuntime
from emorec.model.shown import shown
from emorec.model.store import load
from emorec.paths import MODELS


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    """Random faces, and a real one: whole, shifted and mirrored."""
    cv2 = pytest.importorskip("cv2")
    astronaut = pytest.importorskip("skimage.data").astronaut()
    gray = cv2.cvtColor(astronaut, cv2.COLOR_RGB2GRAY)
    real = [
        cv2.resize(gray[y : y + 106, x : x + 106], (48, 48), interpolation=cv2.INTER_AREA)
        for x, y in ((172, 62), (160, 62), (180, 70))
    ]
    random = np.random.default_rng(0).integers(0, 256, (12, 48, 48)).astype(np.uint8)
    return np.concatenate([real, [real[0][:, ::-1]], random])


@pytest.mark.parametrize(
    "name", ["elu_cnn", "small_cnn", pytest.param("relu_cnn", marks=pytest.mark.long)]
)
def test_keras_and_litert_agree(faces: np.ndarray, name: str) -> None:
    pytest.importorskip("keras")
    litert = LiteRTRuntime((MODELS / f"{name}.tflite").read_bytes())
    network = KerasRuntime(MODELS / f"{name}.keras")
    assert (network.input_shape, network.input_dtype) == (litert.input_shape, litert.input_dtype)
    assert network.outputs == litert.outputs
    ours, theirs = litert.run(faces), network.run(faces)
    bound = WEIGHTS[load().contract.files["tflite"]["weights"]]
    assert ours.keys() == theirs.keys() == {"fer2013", "ferplus", "features"}
    for output in ("fer2013", "ferplus"):
        assert ours[output].dtype == theirs[output].dtype == np.float32
        np.testing.assert_allclose(ours[output], theirs[output], atol=bound)
    own = read(MODELS / f"{name}.json")
    ours_shown, theirs_shown = (
        shown(outputs, own.temperatures, own.blend, own.prior_power, own.linear)
        for outputs in (ours, theirs)
    )
    np.testing.assert_allclose(ours_shown, theirs_shown, atol=bound)
    np.testing.assert_allclose(ours_shown.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize(
    ("runtime", "loaded", "spared"),
    [
        ("litert", "ai_edge_litert", "keras"),
        pytest.param("keras", "keras", "ai_edge_litert", marks=pytest.mark.long),
    ],
)
def test_one_runtime_loads_without_the_other(runtime: str, loaded: str, spared: str) -> None:
    pytest.importorskip(loaded)
    program = f"""
import sys
from emorec.model.store import load
import numpy as np
load(runtime={runtime!r}).classify(np.zeros((2, 48, 48), np.uint8))
print({loaded!r} in sys.modules, {spared!r} in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["True", "False"]


def test_loading_says_nothing_on_standard_error() -> None:
    program = "from emorec.model.store import load; load()"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.parametrize("content", [b"", b"no model", bytes(10_000)])
def test_what_is_no_model_is_a_value_error(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        LiteRTRuntime(content)
