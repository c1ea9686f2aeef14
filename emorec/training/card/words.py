"""What the model card says in words, as Markdown: paragraphs, filled in and wrapped by the card."""

from __future__ import annotations

from dataclasses import dataclass

HEAD = """\
# The models

`python -m emorec.training.card` writes this file from the contracts, the evaluations and the
comparison that stand beside it. Every number in a table was measured; none is typed."""

MODEL = """\
## `{name}`

A residual convolutional network with {activation} activations for grey faces of {side} × {side}
pixels: {parameters:.2f} million parameters, {work:.0f} million multiply-adds a face. One trunk
carries two heads: FER2013's {labels} labels, and the {votes} classes of FER+.
`emorec/model/network.py` names what it follows. Preprocessing is inside the graph: it takes uint8
and brings each face to zero mean and unit variance.

Data: {data}, {protocol}. Licence: {licence}. Made on {created} by

```
{command}
```"""

MEASURED = """\
Accuracy is of one pass, as the app reads a face; beside it, of the mean with the mirror image.
Macro-F1 counts rare emotions as much as common ones. Calibration error is how far confidence is
from being right (ECE, 15 bins). Measured by"""

CORRUPTED = """\
### What poor pictures cost

The FER2013 head on the same faces of {split}, spoiled one way at a time, always with the same
random numbers (`emorec evaluate --corruptions`; `emorec/training/corruptions.py` says what each
is). What lies outside a crop that is too wide repeats its border, since FER2013 has no more."""

CROPS = """\
### How faces are framed

A network reads best what is framed as it learned it. {faces:,} faces of {split} were pasted into
larger pictures at {low} to {high} pixels; the app's detector found {found:,} of them again, and the
pipeline cut these out. The FER2013 head names {original:.1%} of them rightly as FER2013 has them,
and {pipeline:.1%} as they were cut out. Measured by

```
{command}
```

![The mean of these faces as FER2013 frames them, and of the crops]({picture})"""

NOT_MEASURED = """\
Its full evaluation has not been recorded (`emorec evaluate --record` does). {known}"""

SHOWN = """\
What the app shows is {what}. Temperatures ({temperatures}) bring the
confidence of each head, and of what is shown, in line with how often it is right. Below a
confidence of {unsure_below:.2f} a face is {unsure}."""

DECISION = """\
## What is shown, and what it costs

The label is chosen between people who judge pictures and people who make a face at a camera. The
first call much neutral, and a network that learned their votes does so too; dividing by how common
each emotion is among those votes, to a power, gives the rarer ones their due. Beside agreement with
people on {split} stand {posed:,} clearly posed expressions, none neutral, of other people, and
photographs read end to end, each by its largest face that can be read: {neutral:,} labelled
neutral, which should be shown as neutral or unsure, and {happy:,} labelled happy. **Bold** is what
ships (`benchmarks/training-log.md`, 2026-11-28)."""

COMPARED = """\
## ELU beside ReLU

One recipe of {epochs} epochs, the same but for activation and seed; of each run the epoch that was
best on {split}. Made to be compared with each other, not with the models above."""

TAIL = """\
## Data

- **FER2013**: I. Goodfellow et al., "Challenges in Representation Learning: A report on three
  machine learning contests" (ICML 2013 workshop), published as a
  [Kaggle challenge](https://www.kaggle.com/c/challenges-in-representation-learning-facial-expression-recognition-challenge).
  Grey faces that a web search for words of emotion had found, one label each. The pictures belong
  to their owners and are offered for research; they are no part of this project.
- **FER+**: E. Barsoum et al., "Training Deep Networks for Facial Expression Recognition with
  Crowd-Sourced Label Distribution" (ICMI 2016): ten people's votes on each of these faces,
  [under the MIT licence](https://github.com/microsoft/FERPlus).

## Protocol

Learned from Training, chosen on PublicTest, run on PrivateTest once, when it was to ship. Some
faces of both tests stand pixel for pixel in Training too; they are left out of Training, and
`emorec train` says how many. Temperatures, blend and threshold are fitted on PublicTest
(`emorec/training/calibrate.py`), so what PublicTest says of them is a little too good.

FER2013's labels and FER+'s majority often disagree about a face. So there are two questions: how a
network compares with others that were measured on FER2013's labels, and how often it says what
people say. *People* are FER+'s voters, and what they say is what more of them named than anything
else. Faces where votes are tied, or went to "unknown" or "no face", are left out; so is contempt,
which FER2013 does not know, where the seven emotions are measured.

The blend that is shown has the best macro-F1 and mean recall against people, not the best accuracy:
people's votes lean to neutral, and a network that hides expressions behind neutral gains accuracy
by it. How often each answer says neutral stands in the tables.

A face is "unsure" below a threshold of confidence: the lowest from which on at least
{agreement:.0%} of the labels that are shown are people's too, with 95 % confidence (Wilson's score
interval), as long as {coverage:.0%} of the faces keep a label.

## Intended use

To show the *apparent expression* of faces that look towards the camera: in demonstrations,
teaching about such systems, research and play, where those in view know of it and agree.

Not to decide about anyone, nor to tell what someone feels or intends. In the EU, inferring emotions
at work or in education is prohibited, save for medical or safety reasons
([Regulation (EU) 2024/1689](https://eur-lex.europa.eu/eli/reg/2024/1689/oj), the AI Act, Article
5(1)(f)).

## Limits

- It names an appearance. A smile may be politeness, a frown the sun.
- It learned from small grey pictures of the web, many of them posed. Other cameras, light and
  angles are harder for it, and so is whatever hides part of a face.
- The labels are noisy, and rare emotions are learned from few faces: what is measured of them is
  the least certain.
- Who is in the pictures was not recorded. So these data allow no audit by age, sex or skin colour,
  and how the error differs between groups of people is unknown."""


@dataclass(frozen=True)
class Detector:
    """A file that finds the faces which the networks read."""

    file: str
    what: str
    licence: str


DETECTORS = (
    Detector(
        "face_detection_short_range.tflite",
        "finds faces: BlazeFace of Google's MediaPipe, as"
        " [its own notes](face_detection_short_range.md) tell",
        "[Apache-2.0](face_detection_short_range.LICENSE)",
    ),
    Detector(
        "face_check.tflite",
        "says whether what BlazeFace found is a face, as"
        " [the same notes](face_detection_short_range.md) tell",
        "MIT",
    ),
    Detector(
        "../haarcascade_frontalface_default.xml",
        "finds faces: OpenCV's cascade, by R. Lienhart, out of the PyPI package"
        " `opencv-python-headless`",
        "Intel licence, at its head",
    ),
)
