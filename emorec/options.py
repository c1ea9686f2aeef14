"""The options that several commands share, and the settings that they give."""

from __future__ import annotations

import argparse
from dataclasses import replace

from emorec.deployment import SETTINGS, Deployment
from emorec.settings import DETECTORS, Settings
from emorec.terminal import print_line


def add_detector(command: argparse.ArgumentParser) -> None:
    """Add ``--detector`` to a command."""
    command.add_argument(
        "--detector",
        choices=DETECTORS,
        help=f"face detector; default: EMOREC_DETECTOR, else {DETECTORS[0]}",
    )


def chosen_settings(args: argparse.Namespace) -> Settings:
    """Return the deployment's settings with the detector chosen; print what it cannot do."""
    from emorec.pipeline.detect import shortcoming

    settings = Deployment.from_env(only=SETTINGS).settings
    if args.detector:
        settings = replace(settings, detector=args.detector)
    if note := shortcoming(settings.detector):
        print_line(note)
    return settings


def frame_rate(text: str) -> float:
    """Return a number of frames a second."""
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate < float("inf"):
        raise argparse.ArgumentTypeError(f"Expected a number above 0. Received {text!r}.")
    return rate
