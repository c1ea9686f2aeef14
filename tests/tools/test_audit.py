from __future__ import annotations

import json
from typing import Any

import pytest

from tools import audit


def known(name: str, *weaknesses: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "version": "1.0", "vulns": list(weaknesses)}


SKIPPED = {"name": "ours", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("packages", "lines"),
    [
        ([], ["not audited: the advisory database knows none of 0 packages"]),
        ([SKIPPED], ["not audited: the advisory database knows none of 1 packages"]),
        ([known("a")], ["audited: 1 packages, 0 known weaknesses"]),
        ([known("a"), SKIPPED], ["audited: 1 packages, 0 known weaknesses", "not audited: ours"]),
        (
            [known("a", {"id": "X-1", "fix_versions": ["1.1", "2"]})],
            ["weak: a 1.0: X-1, mended in 1.1, 2", "audited: 1 packages, 1 known weaknesses"],
        ),
        (
            [known("a", {"id": "X-1", "fix_versions": []})],
            [
                "weak: a 1.0: X-1, mended in no version yet",
                "audited: 1 packages, 1 known weaknesses",
            ],
        ),
    ],
)
def test_what_is_known_is_told(packages: list[dict[str, Any]], lines: list[str]) -> None:
    assert audit.report(json.dumps({"dependencies": packages}), "") == lines


@pytest.mark.parametrize(
    ("complaint", "why"),
    [("", "pip-audit says nothing"), ("Traceback\nOSError: no network\n", "OSError: no network")],
)
def test_what_was_not_looked_up_is_not_called_sound(complaint: str, why: str) -> None:
    assert audit.report("", complaint) == [f"not audited: {why}"]


def test_wrong_usage_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.main([]) == 2
    assert "usage: audit.py" in capsys.readouterr().err
