"""A network compressed: each 3x3 convolution becomes one of 3x1 and one of 1x3 with few channels.

M. Jaderberg et al., "Speeding up Convolutional Neural Networks with Low Rank Expansions" (BMVC
2014). The halves are fitted on what comes out: the error of the kernel is weighted by the
covariance of the 3x3 patches that the layer gets. Without that weighting the network reads 27.5 %
of PublicTest before any training, with it 60.9 % (benchmarks/training-log.md, run 16).
"""

from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np
import numpy.typing as npt

_FACES_AT_ONCE = 32
_STEPS = 150  # of L-BFGS; on 256 channels some seconds
_KERNEL = (3, 3)
_VERTICAL = (3, 1)

Array = npt.NDArray[np.float32]


def take_over(network: keras.Model, source: keras.Model, faces: npt.NDArray[np.uint8]) -> None:
    """Give a network the layers of another one, its 3x3 convolutions in halves.

    Nothing is trained; normalisation is folded into the convolutions.

    Args:
        network: of `emorec.model.network`, with ``ranks``; else of the other one's shape.
        source: a trained residual network, its 3x3 convolutions whole or in halves themselves.
        faces: uint8 of shape (n, 48, 48); their patches weigh the error. A few hundred will do.
    """
    wide = {layer.name: layer for layer in source.layers}
    narrow = {layer.name: layer for layer in network.layers}
    seen = patches(source, faces)
    for layer in network.layers:
        base = layer.name.removesuffix("_conv")
        vertical = narrow.get(f"{base}_vertical")
        if layer.name == f"{base}_conv":
            kernel, bias = _whole(wide, base)
            if vertical is not None:
                covariance, mean = seen[layer.name]
                rank = vertical.filters
                first, second = halves(kernel, covariance, rank)
                vertical.set_weights([first])
                # What the mean patch loses is made up for by the bias.
                bias = bias + np.tensordot(mean, kernel - product(first, second), 3)
                kernel = second
            layer.set_weights([kernel, bias])
        elif layer is not vertical and not layer.name.endswith("_vertical"):
            layer.set_weights(wide[layer.name].get_weights())


def halves(kernel: Array, covariance: Array, rank: int) -> tuple[Array, Array]:
    """Fit the two halves of a 3x3 kernel.

    Args:
        kernel: of shape (3, 3, channels in, out).
        covariance: of the patches that it gets, of shape (9 * channels in, the same), in the
            kernel's order.
        rank: channels between the halves.

    Returns:
        Kernels of shape (3, 1, channels in, rank) and (1, 3, rank, out).
    """
    from scipy.optimize import minimize

    _, _, ins, outs = kernel.shape
    target = kernel.reshape(-1, outs)
    # Rows: place in the column and channel in; columns: place in the row and channel out.
    table = kernel.transpose(0, 2, 1, 3).reshape(3 * ins, 3 * outs)
    left, strengths, right = np.linalg.svd(table, full_matrices=False)
    roots = np.sqrt(strengths[:rank])
    begun = np.concatenate(
        [(left[:, :rank] * roots).ravel(), (roots[:, None] * right[:rank]).ravel()]
    )
    whole = max(float(np.sum(target * (covariance @ target))), 1e-12)
    cut = 3 * ins * rank

    def parts(flat: npt.NDArray[np.float64]) -> tuple[Array, Array]:
        flat32 = flat.astype(np.float32)
        return flat32[:cut].reshape(-1, rank), flat32[cut:].reshape(rank, -1)

    def loss(flat: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        first, second = parts(flat)
        made = (first @ second).reshape(3, ins, 3, outs).transpose(0, 2, 1, 3).reshape(-1, outs)
        missed = made - target
        slope = covariance @ missed
        value = float(np.sum(slope * missed)) / whole
        slope = (slope * (2 / whole)).reshape(3, 3, ins, outs).transpose(0, 2, 1, 3)
        slope = slope.reshape(3 * ins, 3 * outs)
        flat_slope = np.concatenate([(slope @ second.T).ravel(), (first.T @ slope).ravel()])
        return value, flat_slope.astype(np.float64)

    found = minimize(
        loss, begun.astype(np.float64), jac=True, method="L-BFGS-B", options={"maxiter": _STEPS}
    )
    first, second = parts(found.x)
    # Each channel between them is as strong in one half as in the other.
    ratio = np.sqrt(np.linalg.norm(second, axis=1) / np.linalg.norm(first, axis=0).clip(1e-12))
    first, second = first * ratio, second / ratio.clip(1e-12)[:, None]
    return first.reshape(3, 1, ins, rank), second.reshape(rank, 3, outs).transpose(1, 0, 2)[None]


def product(vertical: Array, horizontal: Array) -> Array:
    """Return the 3x3 kernel that two halves are together, of shape (3, 3, channels in, out)."""
    return np.einsum("iar,jro->ijao", vertical[:, 0], horizontal[0])


def patches(network: keras.Model, faces: npt.NDArray[np.uint8]) -> dict[str, tuple[Array, Array]]:
    """Return covariance and mean of the 3x3 patches that each 3x3 convolution or its halves get.

    Args:
        network: takes uint8 faces of shape (n, 48, 48, 1).
        faces: uint8 of shape (n, 48, 48).

    Returns:
        By the convolution's name, float32 of shape (9 * channels, the same) and (3, 3, channels).
    """
    layers = [
        layer
        for layer in network.layers
        if isinstance(layer, keras.layers.Conv2D) and layer.kernel_size in (_KERNEL, _VERTICAL)
    ]
    inputs = keras.Model(network.input, [layer.input for layer in layers])
    sums: dict[str, npt.NDArray[np.float64]] = {}
    squares: dict[str, npt.NDArray[np.float64]] = {}
    names = [layer.name.replace("_vertical", "_conv") for layer in layers]
    counts = dict.fromkeys(names, 0)
    for start in range(0, len(faces), _FACES_AT_ONCE):
        batch = faces[start : start + _FACES_AT_ONCE, ..., None]
        for name, x in zip(names, inputs.predict_on_batch(batch), strict=True):
            padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
            windows = np.lib.stride_tricks.sliding_window_view(padded, _KERNEL, axis=(1, 2))
            rows = windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, 9 * x.shape[-1])
            sums[name] = sums.get(name, 0) + rows.sum(axis=0, dtype=np.float64)
            squares[name] = squares.get(name, 0) + (rows.T @ rows).astype(np.float64)
            counts[name] += len(rows)
    means = {name: total / counts[name] for name, total in sums.items()}
    return {
        name: (
            (squares[name] / counts[name] - np.outer(mean, mean)).astype(np.float32),
            mean.reshape(*_KERNEL, -1).astype(np.float32),
        )
        for name, mean in means.items()
    }


def _whole(layers: Mapping[str, keras.layers.Layer], base: str) -> tuple[Array, Array]:
    """Return kernel and bias of a convolution that its normalisation or its halves are part of."""
    if normalisation := layers.get(f"{base}_bn"):
        (kernel,) = layers[f"{base}_conv"].get_weights()
        gamma, beta, mean, variance = normalisation.get_weights()
        scale = gamma / np.sqrt(variance + normalisation.epsilon)
        return kernel * scale, beta - mean * scale
    kernel, bias = layers[f"{base}_conv"].get_weights()
    if vertical := layers.get(f"{base}_vertical"):
        (first,) = vertical.get_weights()
        kernel = product(first, kernel)
    return kernel, bias
