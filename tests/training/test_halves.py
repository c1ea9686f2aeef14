"""3x3 convolutions in halves: what they are fitted to, and a whole network of them."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from emorec.model.network import build_network
from emorec.training.halves import halves, patches, product, take_over

RANDOM = np.random.default_rng(0)
WIDTHS, DEPTHS = (4, 6, 8, 8), (1, 1, 1, 1)


def normal(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape).astype(np.float32)


def test_a_kernel_of_that_rank_is_found_again() -> None:
    kernel = product(normal(3, 1, 5, 2), normal(1, 3, 2, 7))
    vertical, horizontal = halves(kernel, np.eye(45, dtype=np.float32), 2)
    assert vertical.shape == (3, 1, 5, 2) and horizontal.shape == (1, 3, 2, 7)
    np.testing.assert_allclose(product(vertical, horizontal), kernel, atol=1e-4)


def test_what_counts_is_what_comes_out() -> None:
    kernel, mix = normal(3, 3, 5, 6), normal(45, 45)
    mix[:, :9] *= 20  # some of what comes in is much stronger than the rest
    covariance = mix.T @ mix

    def missed(weights: np.ndarray) -> float:
        made = product(*halves(kernel, weights, 3))
        apart = (kernel - made).reshape(45, 6)
        return float(np.sum(apart * (covariance @ apart)))

    assert missed(covariance) < missed(np.eye(45, dtype=np.float32)) / 2


@pytest.fixture(scope="module")
def source() -> keras.Model:
    network = build_network("elu", widths=WIDTHS, depths=DEPTHS)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            size = len(layer.get_weights()[0])
            layer.set_weights(
                [1 + normal(size) / 4, normal(size), normal(size), 1 + normal(size) ** 2]
            )
    return network


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    return RANDOM.integers(0, 256, (40, 48, 48)).astype(np.uint8)


def test_patches_are_those_that_the_kernel_meets(source: keras.Model, faces: np.ndarray) -> None:
    covariance, mean = patches(source, faces)["s2b1_1_conv"]
    layer = source.get_layer("s2b1_1_conv")
    (kernel,) = layer.get_weights()
    out = keras.Model(source.input, layer.output).predict(faces[..., None], verbose=0)
    assert out.mean(axis=(0, 1, 2)) == pytest.approx(np.tensordot(mean, kernel, 3), abs=1e-4)
    flat = kernel.reshape(len(covariance), -1)
    assert out.var(axis=(0, 1, 2)) == pytest.approx(np.diag(flat.T @ covariance @ flat), rel=1e-3)


def test_with_enough_channels_between_nothing_is_lost(
    source: keras.Model, faces: np.ndarray
) -> None:
    whole = tuple(3 * width for width in WIDTHS for _ in range(2))
    small = build_network("small", widths=WIDTHS, depths=DEPTHS, ranks=whole)
    take_over(small, source, faces)
    expected, said = (net.predict(faces[..., None], verbose=0) for net in (source, small))
    for name, probs in expected.items():
        np.testing.assert_allclose(said[name], probs, atol=2e-3)


def test_with_fewer_it_still_says_nearly_the_same(source: keras.Model, faces: np.ndarray) -> None:
    narrow = tuple(width // 2 for width in WIDTHS for _ in range(2))
    sizes = {"widths": WIDTHS, "depths": DEPTHS, "ranks": narrow}
    small, blank = build_network("small", **sizes), build_network("small", **sizes)
    take_over(small, source, faces)
    expected, said, unlearned = (
        network.predict(faces[..., None], verbose=0)["features"]
        for network in (source, small, blank)
    )
    apart, of_nothing = (np.square(each - expected).mean() for each in (said, unlearned))
    assert apart < of_nothing / 3
    assert small.count_params() < source.count_params()


def test_a_network_in_halves_already_loses_nothing_either(
    source: keras.Model, faces: np.ndarray
) -> None:
    sizes = {"widths": WIDTHS, "depths": DEPTHS}
    wide = build_network("small", **sizes, ranks=(4,) * 8)
    take_over(wide, source, faces)
    again = build_network("small", **sizes, ranks=(4,) * 8)
    take_over(again, wide, faces)
    expected, said = (net.predict(faces[..., None], verbose=0) for net in (wide, again))
    for name, probs in expected.items():
        np.testing.assert_allclose(said[name], probs, atol=2e-3)
