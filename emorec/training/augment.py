"""Random variation of training faces: one function of `keras.ops`, compiled into the step.

What the winners of FER2013 do, in one resampling: mirror, shift, scale, rotation; then brightness,
contrast and a camera's noise, random erasing (Z. Zhong et al., AAAI 2020) and mixup (H. Zhang et
al., ICLR 2018).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

_QUANTILES = 1024


@dataclass(frozen=True)
class Augmentation:
    """How far each variation goes.

    Attributes:
        shift: largest shift, as a share of the side.
        scale: largest change of size, as a share: 0.15 is 0.85 to 1.15.
        rotation_deg: largest turn to either side, in degrees.
        contrast: largest change of contrast, as a share.
        brightness: largest change of brightness, in grey levels.
        noise: largest standard deviation of Gaussian noise, in grey levels; each face has its own.
        erase: probability of erasing a rectangle of the face.
        mixup: alpha of the Beta distribution that blends two faces; 0 blends none.
    """

    shift: float = 0.1
    scale: float = 0.15
    rotation_deg: float = 12.0
    contrast: float = 0.25
    brightness: float = 25.0
    noise: float = 6.0
    erase: float = 0.15
    mixup: float = 0.0


def vary(
    faces: Any,
    side: int,
    how: Augmentation,
    seeds: keras.random.SeedGenerator,
    framings: Any = None,
) -> Any:
    """Return one random variant of each face at the size asked for.

    Args:
        faces: uint8 of shape (n, h, h).
        side: side in pixels of the result.
        how: how far each variation goes.
        seeds: where the random numbers come from; its state moves on.
        framings: float32 of shape (n, 4), each face's turn in degrees, zoom, shift to the right and
            down as shares of the side; None draws them as far as ``how`` says.

    Returns:
        float32 of shape (n, side, side) in [0, 255].
    """
    n, source = ops.shape(faces)[0], faces.shape[1]

    def between(low: float, high: float, shape: tuple[int, ...] = (1, 1)) -> Any:
        return keras.random.uniform((n, *shape), low, high, seed=seeds)

    mirror = ops.where(between(0, 1) < 0.5, -1.0, 1.0)
    if framings is None:
        turn, zoom = (
            between(-how.rotation_deg, how.rotation_deg),
            1 + between(-how.scale, how.scale),
        )
        shift_x, shift_y = between(-how.shift, how.shift), between(-how.shift, how.shift)
    else:
        turn, zoom, shift_x, shift_y = (framings[:, i, None, None] for i in range(4))
    angle = turn * (3.141592653589793 / 180)
    # Where each pixel of the result comes from, the face being the square [-0.5, 0.5].
    line = (ops.arange(side, dtype="float32") + 0.5) / side - 0.5
    x, y = line[None, None, :], line[None, :, None]
    across = mirror * x
    from_x = (ops.cos(angle) * across - ops.sin(angle) * y) * zoom + shift_x
    from_y = (ops.sin(angle) * across + ops.cos(angle) * y) * zoom + shift_y
    varied = _sample(faces, (from_x + 0.5) * source - 0.5, (from_y + 0.5) * source - 0.5)

    mean = ops.mean(varied, axis=(1, 2), keepdims=True)
    gain = 1 + between(-how.contrast, how.contrast)
    varied = (varied - mean) * gain + mean + between(-how.brightness, how.brightness)

    grain = keras.random.normal((n, side, side), seed=seeds)
    varied = varied + between(0, how.noise) * grain

    # A rectangle of 2 to 30 % of the area, noisy or of one grey.
    half_w, half_h = between(0.07, 0.27), between(0.07, 0.27)
    center_x, center_y = between(-0.5, 0.5), between(-0.5, 0.5)
    inside = (ops.abs(x - center_x) < half_w) & (ops.abs(y - center_y) < half_h)
    inside = inside & (between(0, 1) < how.erase)
    noisy = between(0, 1) < 0.5
    filling = ops.where(noisy, 127.5 + 74 * grain, between(0, 255))
    return ops.clip(ops.where(inside, filling, varied), 0, 255)


def blend(seeds: keras.random.SeedGenerator, alpha: float, *arrays: Any) -> tuple[Any, ...]:
    """Mix every row with its opposite in the batch, by one share a row drawn from Beta(a, a).

    The rows of a batch come in random order, so the batch reversed is as good a partner as a
    shuffled one.
    """
    n = ops.shape(arrays[0])[0]
    # Out of a table of its quantiles: XLA cannot compile TensorFlow's own Beta.
    which = keras.random.randint((n,), 0, _QUANTILES, seed=seeds)
    share = ops.take(ops.convert_to_tensor(_beta_quantiles(alpha), "float32"), which)
    share = ops.maximum(share, 1 - share)
    mixed = []
    for array in arrays:
        own = ops.reshape(share, (-1,) + (1,) * (len(array.shape) - 1))
        mixed.append(own * array + (1 - own) * ops.flip(array, axis=0))
    return tuple(mixed)


@cache
def _beta_quantiles(alpha: float) -> npt.NDArray[np.float64]:
    draws = np.random.default_rng(0).beta(alpha, alpha, 100_000)
    return np.quantile(draws, (np.arange(_QUANTILES) + 0.5) / _QUANTILES)


def _sample(faces: Any, x: Any, y: Any) -> Any:
    """Bilinear values of the faces at these places; outside, the border is repeated."""
    source = faces.shape[1]
    n, pixels = ops.shape(faces)[0], x.shape[1] * x.shape[2]
    flat = ops.cast(ops.reshape(faces, (n, -1)), "float32")
    x, y = ops.clip(x, 0, source - 1), ops.clip(y, 0, source - 1)
    left, top = ops.floor(x), ops.floor(y)
    right_share, bottom_share = x - left, y - top
    right, bottom = ops.minimum(left + 1, source - 1), ops.minimum(top + 1, source - 1)

    def at(row: Any, column: Any) -> Any:
        place = ops.reshape(ops.cast(row * source + column, "int32"), (n, pixels))
        return ops.reshape(ops.take_along_axis(flat, place, axis=1), ops.shape(x))

    upper = at(top, left) * (1 - right_share) + at(top, right) * right_share
    lower = at(bottom, left) * (1 - right_share) + at(bottom, right) * right_share
    return upper * (1 - bottom_share) + lower * bottom_share
