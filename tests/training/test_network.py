"""The networks: what each costs, gives and is made of."""

from __future__ import annotations

from functools import cache

import keras
import numpy as np
import pytest

from emorec.model.network import NETWORKS, SHAPES, trunk_side
from emorec.model.network import build_network as build
from emorec.training.card.card import size
from emorec.training.recipe import Recipe


@cache
def build_network(name: str) -> keras.Model:
    """Build a network once: it takes a second, and a test that changes one builds its own."""
    return build(name)


def activations(network: keras.Model) -> set[str]:
    return {
        layer.activation.__name__
        for layer in network.layers
        if isinstance(layer, keras.layers.Activation)
    } - {"linear"}


def test_the_small_network_stays_within_what_a_live_picture_can_spend() -> None:
    parameters, work = size(build_network("small"))
    assert work <= 45e6
    assert parameters <= 0.6e6
    assert work < size(build_network("elu"))[1] / 3


@pytest.mark.parametrize("name", ["elu", "small"])
def test_an_elu_network_has_no_other_activation_in_its_trunk(name: str) -> None:
    assert activations(build_network(name)) == {"elu"}


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_takes_and_gives_the_same(name: str) -> None:
    network = build_network(name)
    faces = np.random.default_rng(0).integers(0, 256, (2, 48, 48, 1)).astype(np.uint8)
    said = {name: keras.ops.convert_to_numpy(of) for name, of in network(faces).items()}
    assert said["fer2013"].shape == (2, 7) and said["ferplus"].shape == (2, 8)
    assert said["features"].ndim == 2 and said["features"].shape[1] >= 128
    for head in ("fer2013", "ferplus"):
        assert said[head].sum(axis=1) == pytest.approx(np.ones(2), abs=1e-4)


@pytest.mark.parametrize("name", SHAPES)
def test_a_recipe_trains_no_larger_than_the_network_looks(name: str) -> None:
    recipe = Recipe(network=name).lasting(None)
    assert max(recipe.sides) == trunk_side(name)
    assert Recipe(network=name, start="x").lasting(9).stages == ((trunk_side(name), 9),)
