from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from emorec.errors import EmorecError
from emorec.settings import Settings


@pytest.mark.parametrize(
    ("setting", "value"), [("min_face_px", 15), ("smoothing_s", -1), ("smoothing_s", 60.5)]
)
def test_out_of_range(setting: str, value: float) -> None:
    with pytest.raises(EmorecError, match=rf"Expected {setting} .*Received {value}\."):
        Settings(**{setting: value})  # type: ignore[arg-type]


def test_settings_do_not_change_under_a_thread() -> None:
    with pytest.raises(FrozenInstanceError):
        Settings().min_face_px = 20  # type: ignore[misc]
