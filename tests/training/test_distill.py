"""Teachers say what they see, a student learns from it, and the file fits its faces."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import NoReturn

import cv2
import keras
import numpy as np
import pytest
from keras import ops

from emorec.cli import main
from emorec.errors import TrainingError
from emorec.model.contract import read
from emorec.model.network import build_network
from emorec.model.store import EmotionModel, load
from emorec.paths import MODELS
from emorec.training import export, finish, fit, run, trainee
from emorec.training.augment import Augmentation, vary
from emorec.training.data import FaceSet
from emorec.training.distill import VIEWS, draw_framings, learn_from, predict, teach
from emorec.training.recipe import Recipe, read_recipe
from emorec.training.trainee import lessons

N = 12
TEACHER = MODELS / "elu_cnn.tflite"


def some_faces(n: int = N) -> FaceSet:
    faces = np.random.default_rng(n).integers(0, 256, (n, 48, 48)).astype(np.uint8)
    votes = np.zeros((n, 10), np.int64)
    votes[np.arange(n), np.arange(n) % 10] = 10  # two of ten name no emotion
    return FaceSet(faces, np.arange(n) % 7, votes)


@pytest.fixture(scope="module")
def model() -> EmotionModel:
    return load(TEACHER)


@pytest.fixture(scope="module")
def file(model: EmotionModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("teachers") / "teachers.npz"
    said: list[str] = []
    teach([model, model], some_faces(), path, "emorec teach", said.append)
    assert len(said) == 2 and said[0].startswith("elu_cnn: ")
    return path


def test_each_face_gets_a_distribution_for_either_head_near_what_the_teacher_says(file, model):
    faces, command = learn_from(file, some_faces())
    assert command == "emorec teach"
    assert faces.taught.shape == (N, VIEWS, 15) and faces.taught.dtype == np.float32
    assert faces.framings.shape == (N, VIEWS, 4) and faces.framings.dtype == np.float32
    for head, part in (("fer2013", faces.taught[..., :7]), ("ferplus", faces.taught[..., 7:])):
        assert part.sum(axis=-1) == pytest.approx(np.ones((N, VIEWS)), abs=2e-3)
        own = model.outputs(faces.faces)[head]
        assert (part != own.astype(np.float16)[:, None]).any(), "views, not the face as it is"


STILL = Augmentation(
    shift=0, scale=0, rotation_deg=0, contrast=0, brightness=0, noise=0, erase=0, mixup=0
)


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_student_sees_what_the_teachers_saw_upright_or_mirrored(model, mirrored):
    faces = np.stack([cv2.GaussianBlur(face, (0, 0), 2) for face in some_faces().faces])
    framings = draw_framings(N)
    seen = []

    class Teacher:
        def outputs(self, views):
            seen.append(views.copy())
            return model.outputs(views)

    predict(Teacher(), faces, framings, mirrored)
    assert len(seen) == VIEWS
    for i, views in enumerate(seen):
        student = ops.convert_to_numpy(
            vary(
                ops.convert_to_tensor(faces),
                48,
                STILL,
                keras.random.SeedGenerator(i),
                ops.convert_to_tensor(framings[:, i]),
            )
        )
        apart = [
            np.abs(student - one.astype(np.float32)).max(axis=(1, 2))
            for one in (views, views[:, :, ::-1])
        ]
        assert np.minimum(*apart).max() < 3, "OpenCV turns by 32nds of a pixel"


def test_a_student_learns_of_each_view_what_was_said_of_it(file):
    faces, _ = learn_from(file, some_faces())
    student = trainee.Trainee(faces, Recipe(teaching=1.0, augmentation=STILL))
    rows = np.zeros(64, np.int32)
    targets = ops.convert_to_numpy(student.call(ops.convert_to_tensor(rows))["targets"])
    near = np.abs(targets[:, None] - faces.taught[0][None, :, :7]).max(axis=-1) < 1e-6
    assert near.any(axis=1).all(), "only what the teachers said of this face"
    assert near.any(axis=0).all(), "every view of it"


def test_the_faces_may_come_in_any_order_and_in_part(file):
    whole, _ = learn_from(file, some_faces())
    rows = np.array([7, 2, 2, 11])
    some, _ = learn_from(file, some_faces().take(rows))
    assert (some.taught == whole.taught[rows]).all()
    assert (some.framings == whole.framings[rows]).all()
    assert (whole.take(rows).taught == some.taught).all()


def test_faces_that_the_teachers_never_saw_are_refused(file):
    with pytest.raises(TrainingError, match=r"teachers\.npz: 5 of 5 Training faces are not in it"):
        learn_from(file, some_faces(5))


@pytest.mark.parametrize("content", [None, b"", b"no archive"])
def test_what_is_no_such_file_is_one_line(content, tmp_path):
    file = tmp_path / "teachers.npz"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(TrainingError, match=r"teachers\.npz: cannot be read"):
        learn_from(file, some_faces())


def test_lessons_blend_labels_votes_and_teachers():
    faces = some_faces()
    alone = lessons(faces, Recipe())
    assert alone[0].sum(axis=-1) == pytest.approx(np.ones((N, 1)))
    assert alone[1].sum(axis=-1)[:, 0] == pytest.approx((np.arange(N) % 10 < 8).astype(float))
    assert [lesson.shape for lesson in alone] == [(N, 1, 7), (N, 1, 8)]
    taught = np.zeros((N, 3, 15), np.float32)
    taught[..., 6] = taught[..., 7] = 1  # neutral, says the teacher of everyone, in either order
    targets, votes = lessons(
        FaceSet(faces.faces, faces.labels, faces.votes, taught), Recipe(teaching=0.75)
    )
    assert targets == pytest.approx(0.25 * alone[0] + 0.75 * taught[..., :7])
    assert votes[:8] == pytest.approx(0.25 * alone[1][:8] + 0.75 * taught[:8, :, 7:])
    assert votes[8:10] == pytest.approx(taught[8:10, :, 7:]), "where people could not agree"


def full_disk(*args: object, **options: object) -> NoReturn:
    raise OSError(28, "No space left on device")


@pytest.mark.long
def test_a_student_whose_export_failed_is_exported_by_resume_without_the_teachers_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for module in (finish, fit, run, trainee):
        small = partial(build_network, widths=(4,), depths=(1,))
        monkeypatch.setattr(module, "build_network", small)
    lines = ["emotion,pixels,Usage"]
    for usage, count in (("Training", 33), ("PublicTest", 9)):
        faces = some_faces(count)
        lines += [
            f"{label},{' '.join(map(str, face.ravel()))},{usage}"
            for face, label in zip(faces.faces, faces.labels, strict=True)
        ]
    data = tmp_path / "fer2013.csv"
    data.write_text("\n".join(lines) + "\n")
    lesson, out = tmp_path / "lessons" / "t.npz", tmp_path / "run"
    assert main(["teach", "--data", str(data), "--out", str(lesson), str(TEACHER)]) == 0
    assert "of 33 faces as FER2013 has them" in capsys.readouterr().out

    base = ["train", "--data", str(data), "--out", str(out)]
    options = ["--steps", "1", "--batch", "16", "--teachers", str(lesson), "--teaching", "0.8"]
    with monkeypatch.context() as patch:
        patch.setattr(export, "export", full_disk)
        assert main([*base, *options]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "(No space left on device); the trained weights are" in said
    trained = (out / "best.npz").read_bytes()
    lesson.unlink()
    assert main([*base, "--resume"]) == 0
    assert (out / "best.npz").read_bytes() == trained
    recipe = read_recipe(out)
    assert recipe.teachers == "emorec teach --data fer2013.csv elu_cnn.tflite"
    assert read(out / "elu_cnn.json").command == (
        f"{recipe.teachers} --out teachers.npz; emorec train --data fer2013.csv --network elu"
        " --steps 1 --batch 16 --teaching 0.8 --teachers teachers.npz"
    )
    capsys.readouterr()
    assert main([*base, "--resume", "--teachers", str(lesson)]) == 2
    assert "leave out --teachers" in capsys.readouterr().err
