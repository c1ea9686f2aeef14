"""Checks of `emorec doctor`: packages, files, settings, and the network for live video."""
