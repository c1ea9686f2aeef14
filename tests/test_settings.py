from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from emorec.errors import EmorecError
from emorec.settings import Settings


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({}, Settings()),
        ({"HOME": "/", "MIN_FACE_PX": "99"}, Settings()),
        ({"EMOREC_MIN_FACE_PX": "16"}, Settings(min_face_px=16)),
        ({}, Settings(min_face_px=None, detector="auto")),
        ({"EMOREC_SMOOTHING_S": "0"}, Settings(smoothing_s=0)),
        ({"EMOREC_DETECTOR": "haar"}, Settings(detector="haar")),
        ({"EMOREC_DETECTOR": "", "EMOREC_MIN_FACE_PX": ""}, Settings()),
        (
            {"EMOREC_MIN_FACE_PX": "100", "EMOREC_SMOOTHING_S": "1.5"},
            Settings(min_face_px=100, smoothing_s=1.5),
        ),
    ],
)
def test_from_env(env: dict[str, str], expected: Settings) -> None:
    assert Settings.from_env(env) == expected


@pytest.mark.parametrize("value", ["big", "4.5"])
def test_a_word_for_a_number_is_named(value: str) -> None:
    with pytest.raises(EmorecError, match=rf"EMOREC_MIN_FACE_PX: .*Received '{value}'\."):
        Settings.from_env({"EMOREC_MIN_FACE_PX": value})


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("EMOREC_MIN_FACE_PX", "15"),
        ("EMOREC_MIN_FACE_PX", "-1"),
        ("EMOREC_SMOOTHING_S", "-0.1"),
        ("EMOREC_SMOOTHING_S", "61"),
        ("EMOREC_SMOOTHING_S", "nan"),
        ("EMOREC_SMOOTHING_S", "inf"),
        ("EMOREC_DETECTOR", "mtcnn"),
    ],
)
def test_a_number_out_of_range_names_its_variable(variable: str, value: str) -> None:
    with pytest.raises(EmorecError, match=rf"{variable}: .*Received '?{value}'?\."):
        Settings.from_env({variable: value})


@pytest.mark.parametrize(
    ("setting", "value"), [("min_face_px", 15), ("smoothing_s", -1), ("smoothing_s", 60.5)]
)
def test_out_of_range(setting: str, value: float) -> None:
    with pytest.raises(EmorecError, match=rf"Expected {setting} .*Received {value}\."):
        Settings(**{setting: value})  # type: ignore[arg-type]


def test_settings_do_not_change_under_a_thread() -> None:
    with pytest.raises(FrozenInstanceError):
        Settings().min_face_px = 20  # type: ignore[misc]
