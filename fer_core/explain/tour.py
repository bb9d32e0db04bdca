"""Every step from a picture to the probabilities of one face, for people who want to follow a prediction."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_core.columns import percent, percent_text
from fer_core.faces import (
    Evidence,
    FaceDetector,
    annotated_jpeg,
    default_detector,
    evidence_for,
    framing_roll,
    framing_transform,
    marked_faces,
    preprocess_faces,
)
from fer_core.faces.framing import cut_square, frame_side
from fer_core.faces.preprocessing import DETECTING
from fer_core.inference import Classifier, FaceAnalyzer
from fer_core.labels import EXPRESSIONS
from fer_core.models import ModelSpec
from fer_core.models.backbones import input_scale, network_input
from fer_core.types import Face, FaceResult, FerError, Image

MARKED: Final = 768  # longer side in pixels of the pictures with marked faces
SURROUNDINGS: Final = 0.3  # how far a close-up reaches beyond the face's box, as a share of the box
UPRIGHT: Final = 480  # side in pixels of the upright face in colour
PATCH: Final = 8  # side in pixels of the part of the network's input whose numbers are shown
PATCH_CENTER: Final = (0.40, 0.31)
"""Row and column of its middle, as shares of the side: the eye on the left, as FER2013 frames faces."""

PREPARED: Final = {
    "equalize": " Before that, this model's faces get an even histogram of gray levels.",
    "clahe": " Before that, this model's faces get more contrast (CLAHE).",
}
"""A sentence for each preprocessing that changes the gray levels of the whole face."""


@dataclass(frozen=True, eq=False)
class Tour:
    """What every step makes of the largest face of a picture."""

    picture: bytes  # as a JPEG file, at most 1,400 pixels wide or high
    size: tuple[int, int]  # width and height of the original in pixels
    marked: Image  # the picture with the box and the landmarks of each face, RGB, 768 pixels wide or high
    close: Image  # the same of the largest face's surroundings
    faces: int  # the number of detected faces
    roll: float  # degrees by which the face was turned, clockwise in the picture; 0 if it is unknown
    upright: Image  # `(480, 480, 3)` RGB, the face turned upright and framed like FER2013's faces
    side: float  # of that frame in pixels of the picture
    result: FaceResult  # the face, its `(48, 48)` crop and its probabilities as served
    maps: NDArray[np.float32]  # the activation maps, `(rows, columns, 7)`: what each place adds to each logit
    numbers: NDArray[np.float32]  # `(side, side, channels)`, what the first convolution gets
    scale: tuple[float, float]  # factor and offset that turn a gray level into a number of the first channel
    corner: tuple[int, int]  # first row and column of `patch`
    patch: NDArray[np.float32]  # `(8, 8)`, a part of the first channel of `numbers`, around the eye on the left
    logits: NDArray[np.float64]  # `(7,)`, the mean of each activation map
    exponentials: NDArray[np.float64]  # `(7,)`, the exponential function of each logit
    softmax: NDArray[np.float64]  # `(7,)`, each exponential divided by the sum of all
    largest_difference: float  # between `softmax` and the served probabilities

    @property
    def evidence(self) -> dict[str, Evidence]:
        """What speaks for each expression, by its activation map."""
        return {name: evidence_for(self.maps, name) for name in EXPRESSIONS}


def tour(classifier: Classifier, spec: ModelSpec, image: Image, detector: FaceDetector | None = None) -> Tour:
    """Follow the largest face of a picture from pixels to probabilities.

    Args:
        classifier: the model. Its maps must have several cells and cover the whole crop.
        spec: of the same model.
        image: `(height, width, 3)` uint8 RGB.
        detector: by default `default_detector()`.

    Raises:
        FerError: no face is detected, or the model's maps have one cell or cover only a part of the crop.
    """
    if not classifier.locates or spec.preprocessing in DETECTING:
        raise FerError(
            "The tour needs a model whose activation maps show places of the whole face. Choose another model, for "
            f"example a compact CNN. Received: {spec.title}"
        )
    detector = detector or default_detector()
    faces = detector.detect(image)
    if not faces:
        raise FerError(
            "No face was found in this picture. A larger, brighter or more frontal face may help. "
            f"Received: {image.shape[1]} × {image.shape[0]} pixels"
        )
    face = faces[0]
    (result,) = FaceAnalyzer(classifier, detector).classify(image, [face])
    assert result.activation is not None
    numbers = network_input(preprocess_faces(result.crop[None], spec.preprocessing)[0], spec)
    row, column = (round(share * len(numbers)) - PATCH // 2 for share in PATCH_CENTER)
    factors, offsets = input_scale(spec)
    logits = result.activation.astype(np.float64).mean(axis=(0, 1))
    exponentials = np.exp(logits)
    softmax = exponentials / exponentials.sum()
    return Tour(
        picture=annotated_jpeg(image, []),
        size=(image.shape[1], image.shape[0]),
        marked=marked_faces(image, faces, MARKED),
        close=_close_up(image, face),
        faces=len(faces),
        roll=framing_roll(face),
        upright=cut_square(image, framing_transform(face, UPRIGHT), UPRIGHT),
        side=frame_side(face),
        result=result,
        maps=result.activation,
        numbers=numbers,
        scale=(factors[0], offsets[0]),
        corner=(row, column),
        patch=numbers[row : row + PATCH, column : column + PATCH, 0],
        logits=logits,
        exponentials=exponentials,
        softmax=softmax,
        largest_difference=float(np.abs(softmax - result.probabilities).max()),
    )


def _close_up(image: Image, face: Face) -> Image:
    x, y, width, height = face.box
    left, top = max(0, round(x - SURROUNDINGS * width)), max(0, round(y - SURROUNDINGS * height))
    part = image[top : round(y + (1 + SURROUNDINGS) * height), left : round(x + (1 + SURROUNDINGS) * width)]
    landmarks = None if face.landmarks is None else face.landmarks - np.array([left, top], np.float32)
    moved = replace(face, box=(x - left, y - top, width, height), landmarks=landmarks)
    return marked_faces(np.ascontiguousarray(part), [moved], MARKED)


def in_words(tour: Tour, preprocessing: str) -> dict[str, tuple[str, dict[str, str]]]:
    """Return, by the name of each step, what happens in it and why, and the numbers of this face by their titles.

    `preprocessing` is that of the model, which changes the whole face.
    """
    (width, height), face, crop = tour.size, tour.result.face, tour.result.crop
    detected = {"Faces found": str(tour.faces)}
    detected["Box"] = "{2:.0f} × {3:.0f} pixels, left edge at {0:.0f}, top at {1:.0f}".format(*face.box)
    marks = "Each face gets a box. This detector gives no landmarks."
    if face.landmarks is not None:
        marks = "Each face gets a box and five landmarks: two eyes, the tip of the nose, two corners of the mouth."
        eyes = " and ".join(f"({x:.0f}, {y:.0f})" for x, y in face.landmarks[:2].tolist())
        detected |= {"Detector's confidence": percent_text(face.score), "Eyes at": eyes}
    tilt = f"{abs(tour.roll):.1f}°"
    if tilt != "0.0°":
        tilt += " clockwise" if tour.roll > 0 else " counter-clockwise"
    pixel = tour.side / len(crop)
    (factor, offset), (row, column) = tour.scale, tour.corner
    rule = f"gray × {factor:.4g} {'−' if offset < 0 else '+'} {abs(offset):.4g}"
    if factor == 1 and offset == 0:
        rule = "gray, unchanged: this network scales by itself"
    rows, columns = tour.maps.shape[:2]
    strongest = max(tour.evidence.items(), key=lambda item: item[1].shares.max())
    scores = dict(zip(EXPRESSIONS, tour.logits.tolist(), strict=True))
    first, second = sorted(scores, key=lambda name: -scores[name])[:2]
    cells = tour.maps[:, :, EXPRESSIONS.index(first)]
    total, most = float(tour.exponentials.sum()), EXPRESSIONS.index(tour.result.expression)
    share = percent(tour.softmax[most], ".1%")
    return {
        "Picture": (
            "A picture is a grid of pixels. Each pixel has three numbers, for red, green and blue, from 0 (dark) to "
            "255 (bright). No number says where a face is, or what it shows.",
            {"Size": f"{width:,} × {height:,} pixels", "Numbers": f"{width} × {height} × 3 = {width * height * 3:,}"},
        ),
        "Detect": (
            f"A face detector searches the picture for faces of all sizes. {marks} The tour follows the largest.",
            detected,
        ),
        "Align": (
            "The line between the eyes shows how far the head is tilted. The picture is turned back by this angle, so "
            "that the eyes are level. Then a square is placed around the face. Models have learned from mostly upright "
            "faces.",
            {"Tilt": tilt, "Side of the square": f"{tour.side:.0f} pixels of the picture"},
        ),
        "Crop": (
            "The square becomes 48 × 48 gray pixels with the framing of FER2013, the data that the models learned "
            "from: little hair, and the chin at the lower edge. Colour and fine detail are lost here.",
            {
                "Numbers": f"48 × 48 = {crop.size:,}, from {crop.min()} to {crop.max()}, mean {crop.mean():.0f}",
                "One pixel here": f"{pixel:.1f} × {pixel:.1f} pixels of the picture",
            },
        ),
        "Normalise": (
            "A network works best with numbers on the scale that it was trained with, usually around 0. So each gray "
            f"level is multiplied and shifted.{PREPARED.get(preprocessing, '')} The chart shows the eye on the left; "
            "numbers like these, of the whole face, are all that the network gets.",
            {
                "Rule": rule,
                "Input": f"{' × '.join(map(str, tour.numbers.shape))} = {tour.numbers.size:,} numbers",
                "Range for this face": f"{_number(tour.numbers.min())} to {_number(tour.numbers.max())}",
                "Shown": f"rows {row + 1} to {row + PATCH}, columns {column + 1} to {column + PATCH}",
            },
        ),
        "Activations": (
            "Layer after layer, the network looks for edges, then shapes, then parts of a face. Its last maps, one for "
            "each expression, say how much each place adds to the score of that expression. Shown is the difference "
            "from the mean of all seven, on one scale: bright places speak for the expression.",
            {
                "Cells of each map": f"{rows} × {columns} = {rows * columns}",
                "Strongest place": f"{strongest[0]}, {strongest[1].limit:.2f} above the mean of the seven maps",
                "Below each map": "its strongest place as a share of that",
            },
        ),
        "Pooling": (
            "The score of an expression, called its logit, is the mean of all cells of its map. A score has no unit "
            "and may be negative. Only the differences between scores count.",
            {
                f"Cells for {first}": f"{_number(cells.min())} to {_number(cells.max())}",
                f"Their sum ÷ {cells.size}": f"{_number(cells.sum())} ÷ {cells.size} = {_number(scores[first])}",
                f"Ahead of {second} by": f"{scores[first] - scores[second]:.2f}",
            },
        ),
        "Softmax": (
            "The exponential function makes every score positive and enlarges the differences. Each result is divided "
            "by the sum of all seven, so the seven add up to 100 %. They describe the picture, not what the person "
            "feels.",
            {
                "Sum of the seven": f"{total:,.2f}",
                tour.result.expression: f"{tour.exponentials[most]:,.2f} ÷ {total:,.2f} = {share}",
                "The model itself says": f"{tour.result.expression} {percent(tour.result.confidence, '.1%')}",
                "Largest difference": (
                    "below 0.001 %" if tour.largest_difference < 1e-5 else percent(tour.largest_difference, ".3%")
                ),
            },
        ),
    }


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")
