"""Keras, started before a test module imports it: on what the environment names, or the first."""

from __future__ import annotations

from emorec.model.runtime import start_keras

start_keras()
