from __future__ import annotations

import re

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools import licences

ROWS = {
    row[0]: row[1:]
    for row in re.findall(
        r"^\| ([\w.-]+) \| ([\w.]+) \| (.*?) \| (.*?) ?\|$",
        licences.PAGE.read_text(encoding="utf-8"),
        re.MULTILINE,
    )
}
PINS = [pin for name in licences.LISTS for pin in licences.pinned(licences.ROOT / name)]


@pytest.mark.parametrize("pin", PINS, ids=lambda pin: pin.name)
def test_every_pinned_requirement_is_listed(pin: Requirement) -> None:
    version, licence, _ = ROWS[canonicalize_name(pin.name)]
    assert pin.specifier.contains(version), "run tools/licences.py"
    assert licence not in ("", "UNKNOWN")


@pytest.mark.parametrize("package", ["av", "pillow-heif", "psycopg"])
def test_copyleft_is_marked(package: str) -> None:
    assert ROWS[package][2]


def test_what_wheels_hold_is_told_of_packages_that_are_there() -> None:
    assert licences.BUNDLED.keys() <= ROWS.keys()


def test_nothing_brings_nothing() -> None:
    assert licences.installed([]) == set()


def test_extras_bring_their_own() -> None:
    plain = licences.installed([Requirement("psycopg")])
    assert licences.installed([Requirement("psycopg[binary]")]) - plain == {"psycopg-binary"}
