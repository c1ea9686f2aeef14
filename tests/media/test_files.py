from __future__ import annotations

from pathlib import Path

import pytest

from emorec.errors import ImageError
from emorec.media.files import ResultFolder, picture_files


def test_no_picture_has_no_result(tmp_path: Path) -> None:
    ResultFolder(tmp_path / "out", [])
    assert list((tmp_path / "out").iterdir()) == []


def test_names_that_are_all_alike_are_tried_once_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each from its first number on, 2,000 pictures would have tried two million names.
    pictures = [Path(f"{number}/IMG_0001.jpg") for number in range(2000)]
    results = ResultFolder(tmp_path / "out", pictures)
    tried = []
    real = Path.open

    def counted(path: Path, *args: object):
        tried.append(path)
        return real(path, *args)

    monkeypatch.setattr(Path, "open", counted)
    written = [results.write(picture, b"x") for picture in pictures]
    assert len(set(written)) == len(set(tried)) == 2000  # tried, then written


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_could_not_be_written_whole_is_not_left(
    overwrite: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = ResultFolder(tmp_path, [], overwrite)
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("needs /dev/full")
    (tmp_path / "me_emorec.png").symlink_to(full)
    if overwrite:
        with pytest.raises(ImageError, match="No space left"):
            results.write(Path("me.jpg"), b"x" * 100)
        assert full.exists()
        assert not (tmp_path / "me_emorec.png").is_symlink()
    else:
        assert results.write(Path("me.jpg"), b"x").name == "me_emorec_2.png"


def test_a_file_of_any_name_stands_for_itself(tmp_path: Path) -> None:
    for name in ("a.png", "b[1].png", "c*.png"):
        path = tmp_path / name
        path.touch()
        assert picture_files(path) == [path]
    assert picture_files(tmp_path / "gone.png") == [tmp_path / "gone.png"]
    assert picture_files(tmp_path) == sorted(tmp_path.iterdir())
