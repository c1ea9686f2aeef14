"""The networks, defined in Keras 3 and free of any backend.

A small residual network for 48x48 grey faces. It follows K. He et al., "Deep Residual Learning
for Image Recognition" (CVPR 2016) with four stages; Z. Liu et al., "A ConvNet for the 2020s" (CVPR
2022) for the way down between them, convolutions of their own that do not overlap; D.-A. Clevert
et al., "Fast and Accurate Deep Network Learning by Exponential Linear Units" (ICLR 2016) for the
activation; and J. Hu et al., "Squeeze-and-Excitation Networks" (CVPR 2018) for the channel gate
that ends each stage. One trunk carries two heads: FER2013's labels and the votes of FER+
(E. Barsoum et al., ICMI 2016).

Preprocessing is inside the graph, so it cannot differ between training and use. Only layers and
operations that ship with Keras are used: a saved file loads without this package.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from emorec.emotions import EMOTIONS, FERPLUS_EMOTIONS
from emorec.words import N_

if TYPE_CHECKING:
    import keras

FACE_SIDE = 48
"""Side in pixels of the square grey face that every network takes."""


@dataclass(frozen=True)
class Shape:
    """How large a residual network is.

    Attributes:
        activation: ``elu`` or ``relu``.
        side: side in pixels to which it brings a face. Enlarged to 56, windows stand closer
            together: it adds no parameters and nothing that was not in the face, but two fifths
            more work, and more faces are read rightly (benchmarks/training-log.md, run 11).
        widths: channels of each stage; the stem halves the side, and so does every way down.
        depths: residual blocks of each stage.
        dropout: rate in [0, 1) before the heads.
        ranks: for each 3x3 convolution, in order, the channels between its two halves (M. Jaderberg
            et al., "Speeding up Convolutional Neural Networks with Low Rank Expansions", BMVC
            2014); None: convolutions are whole. In halves, none is followed by a normalisation:
            that of the network it was compressed from is part of its weights
            (`emorec.training.compress`).
    """

    activation: str
    side: int = 56
    widths: tuple[int, ...] = (32, 64, 128, 256)
    depths: tuple[int, ...] = (2, 3, 3, 1)
    dropout: float = 0.2
    ranks: tuple[int, ...] | None = None


_RANKS = (16, 16, 16, 16, 40, 48, 48, 48, 48, 24, 48, 48, 48, 48, 24, 16, 24, 16)
"""Chosen together: the least sum of what each layer's halves cost, taken as proportional to the
variance they lose, within 45 million multiply-adds (benchmarks/training-log.md, runs 16 and 17)."""

SHAPES = MappingProxyType(
    {
        "elu": Shape("elu"),
        "relu": Shape("relu"),
        "small": Shape("elu", dropout=0.0, ranks=_RANKS),
    }
)
"""The residual networks. ``elu`` and ``relu`` differ in nothing but the activation; ``small`` is
``elu`` compressed to a third of its work, for live pictures on a processor that does not carry
it."""

TRAINED = ("elu", "relu", "seed")
"""The networks that are trained from nothing; ``seed`` is the first prototypes'."""

COMPRESSED_FROM = "elu"
"""The network that ``small`` is compressed from."""

NETWORKS = (*TRAINED, "small")
"""Every network by name."""

ACTIVATIONS = MappingProxyType({"elu": "ELU", "relu": "ReLU", "small": "ELU", "seed": "ELU"})
"""The activation of each network, in words."""

TITLES = MappingProxyType(
    {
        "elu": N_("ELU network"),
        "relu": N_("ReLU network"),
        "small": N_("small ELU network"),
        "seed": N_("network of the first prototypes"),
    }
)
"""What each network is called in words."""


def build_network(
    name: str = "elu",
    side: int | None = FACE_SIDE,
    widths: tuple[int, ...] | None = None,
    depths: tuple[int, ...] | None = None,
    dropout: float | None = None,
    ranks: tuple[int, ...] | None = None,
    dtype: str = "uint8",
) -> keras.Model:
    """Build an untrained network.

    Args:
        name: one of ``NETWORKS``.
        side: side of the input in pixels. None leaves it open and enlarges nothing, for training at
            growing sizes up to `trunk_side`; the ``seed`` network flattens and so needs its 48.
        widths: as in `Shape`, whose own it takes where it is None; so do the next three.
        depths: as in `Shape`.
        dropout: as in `Shape`.
        ranks: as in `Shape`.
        dtype: of the input; training feeds blended faces, which are float32 in [0, 255].

    Returns:
        A model from grey faces of shape (n, side, side, 1) to a dict of ``fer2013``: float32
        (n, 7) probabilities in ``EMOTIONS`` order, ``ferplus``: float32 (n, 8) probabilities in
        ``FERPLUS_EMOTIONS`` order, ``features``: float32 (n, widths[-1]).

    Raises:
        ValueError: the name is none of ``NETWORKS``.
    """
    from keras import layers, ops

    if name not in NETWORKS:
        raise ValueError(f"Expected a network among {', '.join(NETWORKS)}. Received {name!r}.")
    given: dict[str, Any] = {"widths": widths, "depths": depths, "dropout": dropout, "ranks": ranks}
    shape = replace(
        SHAPES.get(name, Shape("elu")), **{key: of for key, of in given.items() if of is not None}
    )
    faces = layers.Input((side, side, 1), dtype=dtype, name="faces")
    x = layers.Rescaling(1 / 255, name="to_unit")(faces)
    if side not in (None, trunk_side(name)):
        # Not the layer `Resizing`: called without `training`, it puts those after it in training.
        x = ops.image.resize(x, (trunk_side(name), trunk_side(name)))
    # Every face to zero mean and unit variance: a dark room and a bright one look alike. The
    # epsilon keeps a flat patch from being blown up into noise.
    x = layers.LayerNormalization(
        axis=(1, 2, 3), center=False, scale=False, epsilon=1e-3, dtype="float32", name="standardize"
    )(x)
    if name == "seed":
        x = _seed_trunk(x)
    else:
        x = _residual_trunk(x, shape)
    features = layers.Activation("linear", dtype="float32", name="features")(x)
    x = layers.Dropout(shape.dropout, name="dropout")(x)
    return _with_heads(f"{name}_cnn", faces, x, features)


def trunk_side(name: str) -> int:
    """Return the side in pixels at which a network of this name looks at a face."""
    return SHAPES[name].side if name in SHAPES else FACE_SIDE


def _with_heads(
    name: str, faces: keras.KerasTensor, x: keras.KerasTensor, features: keras.KerasTensor
) -> keras.Model:
    import keras
    from keras import layers

    heads = {
        head: layers.Dense(len(labels), activation="softmax", dtype="float32", name=head)(x)
        for head, labels in (("fer2013", EMOTIONS), ("ferplus", FERPLUS_EMOTIONS))
    }
    return keras.Model(faces, {**heads, "features": features}, name=name)


def _residual_trunk(x: keras.KerasTensor, shape: Shape) -> keras.KerasTensor:
    from keras import layers

    activation, ranks = shape.activation, iter(shape.ranks or ())
    # A face of 48 pixels has little to spare: the stem halves it, but its windows overlap and each
    # sees more channels than pixels.
    plain = _folded if shape.ranks else _conv
    x = plain(x, shape.widths[0], 6, "stem", strides=2)
    x = layers.Activation(activation, name="stem_act")(x)
    for stage, (width, depth) in enumerate(zip(shape.widths, shape.depths, strict=True), start=1):
        if stage > 1:
            x = plain(x, width, 2, f"s{stage}_down", strides=2)
            x = layers.Activation(activation, name=f"s{stage}_down_act")(x)
        for block in range(1, depth + 1):
            x = _block(x, width, activation, f"s{stage}b{block}", block == depth, ranks)
    return layers.GlobalAveragePooling2D(name="pool")(x)


def _block(
    x: keras.KerasTensor, width: int, activation: str, name: str, gated: bool, ranks: Iterator[int]
) -> keras.KerasTensor:
    """Two 3x3 convolutions of the next two ranks, perhaps a channel gate, and the way around."""
    from keras import layers

    way_around = x
    x = _conv3x3(x, width, f"{name}_1", next(ranks, None))
    x = layers.Activation(activation, name=f"{name}_1_act")(x)
    x = _conv3x3(x, width, f"{name}_2", next(ranks, None))
    if gated:
        gate = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_se_pool")(x)
        gate = layers.Conv2D(max(width // 8, 8), 1, activation="relu", name=f"{name}_se_1")(gate)
        gate = layers.Conv2D(width, 1, activation="sigmoid", name=f"{name}_se_2")(gate)
        x = layers.Multiply(name=f"{name}_se")([x, gate])
    x = layers.Add(name=f"{name}_add")([x, way_around])
    return layers.Activation(activation, name=f"{name}_act")(x)


def _conv3x3(x: keras.KerasTensor, width: int, name: str, rank: int | None) -> keras.KerasTensor:
    from keras import layers

    if rank is None:
        return _conv(x, width, 3, name)
    down = layers.Conv2D(rank, (3, 1), padding="same", use_bias=False, name=f"{name}_vertical")
    return _folded(down(x), width, (1, 3), name)


def _conv(
    x: keras.KerasTensor, width: int, kernel: int, name: str, strides: int = 1
) -> keras.KerasTensor:
    from keras import layers

    convolution = layers.Conv2D(
        width,
        kernel,
        strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )
    x = convolution(x)
    return layers.BatchNormalization(name=f"{name}_bn")(x)


def _folded(
    x: keras.KerasTensor, width: int, kernel: int | tuple[int, int], name: str, strides: int = 1
) -> keras.KerasTensor:
    """A convolution that its normalisation is part of."""
    from keras import layers

    return layers.Conv2D(width, kernel, strides, padding="same", name=f"{name}_conv")(x)


def _seed_trunk(x: keras.KerasTensor) -> keras.KerasTensor:
    """The VGG-like net of the first prototypes: 64-64-128-128-256-256 and a dense layer of 128."""
    from keras import layers

    for stage, width in enumerate((64, 128, 256), start=1):
        for part in (1, 2):
            x = _conv(x, width, 3, f"s{stage}_{part}")
            x = layers.Activation("elu", name=f"s{stage}_{part}_act")(x)
        x = layers.MaxPooling2D(2, name=f"s{stage}_pool")(x)
        x = layers.Dropout(0.3, name=f"s{stage}_dropout")(x)
    x = layers.Flatten(name="flatten")(x)
    return layers.Dense(128, activation="elu", name="dense")(x)
