"""Stage 3: the face as the network knows faces."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from emorec.geometry import as_boxes, square

FACE_SIDE = 48
_SCALE = 1.0  # side of the crop over the detector's box; FER2013's faces are framed like Haar's


def crop_faces(
    image_gray: npt.NDArray[np.uint8], boxes_xyxy: npt.ArrayLike
) -> npt.NDArray[np.uint8]:
    """Cut out the square around each box and bring it to FER2013's size.

    Args:
        image_gray: uint8 of shape (h, w).
        boxes_xyxy: of shape (n, 4), pixels; may reach over the border, which is then repeated.

    Returns:
        uint8 of shape (n, 48, 48).
    """
    height, width = image_gray.shape
    faces = np.empty((len(as_boxes(boxes_xyxy)), FACE_SIDE, FACE_SIDE), dtype=np.uint8)
    for face, box in zip(faces, np.rint(square(boxes_xyxy, _SCALE)).astype(int), strict=True):
        x1, y1 = box[:2]
        x2, y2 = np.maximum(box[2:], box[:2] + 1)
        columns = np.clip([x1, x2], 0, width)
        rows = np.clip([y1, y2], 0, height)
        inside = image_gray[rows[0] : rows[1], columns[0] : columns[1]]
        if not inside.size:
            face[:] = 0
            continue
        if inside.shape != (y2 - y1, x2 - x1):
            inside = cv2.copyMakeBorder(
                inside,
                max(-y1, 0),
                max(y2 - height, 0),
                max(-x1, 0),
                max(x2 - width, 0),
                cv2.BORDER_REPLICATE,
            )
        shrinks = inside.shape[0] > FACE_SIDE
        face[:] = cv2.resize(
            inside,
            (FACE_SIDE, FACE_SIDE),
            interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR,
        )
    return faces
