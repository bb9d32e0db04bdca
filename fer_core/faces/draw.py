"""Draw into pictures: numbered boxes with labels, steps of face detection, evidence for an expression as a heatmap.

A class activation map (Zhou et al., "Learning Deep Features for Discriminative Localization", CVPR 2016) says how much
each place of a face adds to the logit of each expression. Softmax depends on differences of logits only, so evidence is
always a difference of maps: one expression against the mean of all seven, or against one other.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from fer_core.columns import percent
from fer_core.data.images import require_rgb, resized
from fer_core.faces.detector import FaceDetector, default_detector
from fer_core.faces.framing import CROP_SIZE, Transform, crop_face, cut_square, framing_transform, invert, part_under
from fer_core.labels import EXPRESSIONS, class_colors, is_dark
from fer_core.types import Face, FaceResult, Image

SHOWN_SIDE: Final = 1400  # pixels; pages do not show larger pictures
LINE_WIDTH: Final = 0.006  # of the picture's mean side
FONT_SIZE: Final = (0.018, 0.042)  # of the picture's mean side, at least and at most
FONT_TO_FACE: Final = 0.17  # of the median box's height, within these limits
MIN_FONT: Final = 11  # pixels; smaller text is not readable
MIN_CANVAS: Final = 320  # pixels; smaller pictures are enlarged so that a label fits
MARKED_SIDE: Final = 384  # pixels; longest side of pictures with marked faces
UPRIGHT_SIDE: Final = 192  # pixels; of the upright crop in colour, four times that of the gray input
MARK: Final = "#F0E442"  # Okabe and Ito's yellow, which no expression has
DARK: Final = (17, 17, 17)
LIGHT: Final = (255, 255, 255)
UNSURE: Final = "#FFFFFF"  # colour where the model is not sure; no expression has it

BLUR: Final = 0.4  # of a map cell's size, so that cells have no visible edges
MAX_OPACITY: Final = 0.7  # of the strongest evidence

GLOW: Final = np.flip(cv2.applyColorMap(np.arange(256, dtype=np.uint8), cv2.COLORMAP_INFERNO), axis=2).copy()
"""`(256, 1, 3)` uint8 RGB: the colour map `inferno`. Its lightness increases evenly, so it also works in gray."""

AGAINST, FOR = (240, 100, 0), (20, 120, 240)
"""RGB orange and blue: visible on skin and dark hair, similarly light, different for colour-blind readers."""

TWO_SIDED: Final = np.array([AGAINST] * 128 + [FOR] * 128, np.uint8)[:, None]
"""`(256, 1, 3)` uint8 RGB: the first half for evidence against, the second for evidence for an expression."""

Rectangle = tuple[float, float, float, float]  # left, top, right, bottom
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
_font = lru_cache(maxsize=64)(ImageFont.load_default)


def draw_faces(
    image: Image,
    results: Sequence[FaceResult],
    *,
    enlarge: bool = True,
    numbers: Sequence[int] | None = None,
    largest: int | None = None,
) -> Image:
    """Return a copy of an image with a box and a label such as "1 happy 93%" or "2 not sure" for each face.

    The size of lines and text depends on the picture. A label stays inside the picture, avoids other labels if there
    is room, and is shortened if the picture is too narrow for it.

    Args:
        image: `(height, width, 3)` uint8 RGB.
        results: faces of this image.
        enlarge: enlarge a picture whose longest side is below 320 pixels to that size; not for frames of a video.
        numbers: the number of each result; by default 1, 2, …
        largest: reduce a picture whose longest side has more pixels to that size.
    """
    image = require_rgb(image)
    longest = max(image.shape[:2])
    most = longest if largest is None else min(longest, largest)
    scale = max(MIN_CANVAS if enlarge else 1, most) / longest
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    canvas = Pillow.fromarray(image if scale >= 1 else resized(image, (width, height)))
    if scale > 1:
        canvas = canvas.resize((width, height), Pillow.Resampling.BICUBIC)
    pen = ImageDraw.Draw(canvas)
    mean_side = (width * height) ** 0.5
    line = max(2, round(LINE_WIDTH * mean_side))
    boxes = [_visible_part(result.face.box, scale, width, height) for result in results]
    colors = [class_colors(face.classes)[face.expression] if face.sure else UNSURE for face in results]
    smallest, largest_font = (part * mean_side for part in FONT_SIZE)
    face = float(np.median([bottom - top for _, top, _, bottom in boxes])) if boxes else mean_side
    font = _font(round(max(MIN_FONT, min(max(FONT_TO_FACE * face, smallest), largest_font))))
    for box, color in zip(boxes, colors, strict=True):
        _draw_box(pen, box, color, line)
    labels: list[Rectangle] = []
    for number, box, color, result in zip(numbers or range(1, len(boxes) + 1), boxes, colors, results, strict=True):
        others = [other for other in boxes if other is not box]
        beside = [other[0] - box[0] for other in others if box[0] < other[0] and _same_height(box, other)]
        text = _fitting_text(pen, font, number, result, min([width - 8.0, *beside]))
        labels.append(_draw_label(pen, font, text, box, [*others, *labels], color))
    return np.array(canvas)


def annotated_jpeg(image: Image, results: Sequence[FaceResult], side: int = SHOWN_SIDE) -> bytes:
    """Return the drawing of `draw_faces` as a JPEG of at most `side` pixels, small enough to send to a browser."""
    return _encoded(draw_faces(image, results, largest=side), "JPEG", quality=90)


def annotated_png(image: Image, results: Sequence[FaceResult]) -> bytes:
    """Return the drawing of `draw_faces` in full size as a PNG."""
    return png(draw_faces(image, results))


def png(image: Image) -> bytes:
    """Return a picture encoded as PNG."""
    return _encoded(image, "PNG")


def enlarged_pixels(crop: Image, size: int = 336) -> Image:
    """Return a crop enlarged by a whole factor to at most `size` pixels, so that its pixels become visible squares."""
    factor = max(1, size // crop.shape[1])
    return np.repeat(np.repeat(crop, factor, axis=0), factor, axis=1)


def marked_faces(image: Image, faces: Sequence[Face], side: int = MARKED_SIDE) -> Image:
    """Return a copy of an RGB image with the box and the five landmarks of each face, with `side` pixels at most."""
    scale = side / max(require_rgb(image).shape[:2])
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    canvas = Pillow.fromarray(image).resize((width, height), Pillow.Resampling.BICUBIC)
    pen = ImageDraw.Draw(canvas)
    for face in faces:
        _draw_box(pen, _visible_part(face.box, scale, width, height), MARK, round(side / 96))
        radius = max(2.0, 0.025 * scale * face.box[2])
        for x, y in [] if face.landmarks is None else (face.landmarks * scale).tolist():
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=MARK, outline=DARK)
    return np.array(canvas)


@dataclass(frozen=True, eq=False)
class DetectionStages:
    """The steps from a picture to what networks get; without a face, the last two are None."""

    before: Image  # the picture as it was given, at most 384 pixels wide or high
    marked: Image  # the same with the box and the five landmarks of each face, RGB, 384 pixels wide or high
    faces: int  # number of detected faces; only the largest one is cropped
    upright: Image | None = None  # `(192, 192, 3)` RGB, upright and framed like FER2013's faces
    gray: Image | None = None  # `(48, 48)` uint8, the same as networks get it


def detection_stages(image: Image, detector: FaceDetector | None = None) -> DetectionStages:
    """Detect the faces of a uint8 picture, RGB or `(height, width)` gray, and crop the largest one."""
    picture = require_rgb(cv2.cvtColor(image, cv2.COLOR_GRAY2RGB) if image.ndim == 2 else image)
    faces = (detector or default_detector()).detect(picture)
    marked = marked_faces(picture, faces)
    before = image if max(image.shape[:2]) <= MARKED_SIDE else resized(image, marked.shape[1::-1])
    if not faces:
        return DetectionStages(before, marked, 0)
    return DetectionStages(before, marked, len(faces), upright_face(picture, faces[0]), crop_face(picture, faces[0])[0])


def upright_face(picture: Image, face: Face) -> Image:
    """Return a face of an RGB picture as `(192, 192, 3)` RGB uint8, upright and framed like FER2013's faces."""
    return cut_square(picture, framing_transform(face, UPRIGHT_SIDE), UPRIGHT_SIDE)


@dataclass(frozen=True, eq=False)
class Evidence:
    """The evidence for one expression at each place of a face.

    Attributes:
        values: `(rows, columns)`, evenly spread over the crop, in the unit of the maps: logits, or probabilities.
        limit: the value drawn at full strength, 0 or more; 0 if there is nothing to draw.
        two_sided: draw negative values as well, in another colour.
    """

    values: NDArray[np.float32]
    limit: float
    two_sided: bool = False

    @property
    def shares(self) -> NDArray[np.float32]:
        """The values as shares of the limit, -1 to 1; 0 to 1 if not two-sided."""
        if self.limit == 0:
            return np.zeros(self.values.shape, np.float32)
        return np.clip(self.values / self.limit, -1 if self.two_sided else 0, 1).astype(np.float32)


def evidence_for(
    maps: NDArray[np.floating],
    expression: str,
    *,
    against: str | None = None,
    at_least: float = 0.0,
    classes: tuple[str, ...] = EXPRESSIONS,
) -> Evidence:
    """Return the evidence for an expression, on the scale that all expressions of the face share.

    Against all others, the value of a place is the map of the expression minus the mean of all maps, and the limit is
    the largest such value of any expression. (The mean of the others would give the same picture: of seven, all values
    are then 7/6 as large.) Against one other, the value is the difference of two maps, and the limit is the
    largest difference between any two. The mean of an activation map is the logit, so the mean of these differences is
    the logarithm of the ratio of the two probabilities.

    Args:
        maps: `(rows, columns, classes)`, what each place adds to each class. Values that are not finite count as 0.
        expression: its name.
        against: the name of another expression; None for all others.
        at_least: minimum of the limit, so that a face without notable evidence stays dark.
        classes: names of the maps, in their order.

    Raises:
        ValueError: the maps have another shape, an expression is unknown, or both are the same.
    """
    if maps.ndim != 3 or maps.shape[2] != len(classes) or maps.size == 0:
        raise ValueError(f"Expected maps of shape (rows, columns, {len(classes)}). Received: {maps.shape}")
    if missing := {expression, against} - {*classes, None}:
        raise ValueError(f"Unknown expression. Expected one of {', '.join(classes)}. Received: {missing.pop()!r}")
    maps = np.nan_to_num(np.asarray(maps, np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    index = classes.index(expression)
    if against is None:
        compared = maps - maps.mean(axis=2, keepdims=True)
        return Evidence(compared[:, :, index], max(at_least, float(compared.max())))
    if against == expression:
        raise ValueError(f"Expected two different expressions. Received: {expression} twice")
    largest = float(np.ptp(maps, axis=2).max())
    return Evidence(maps[:, :, index] - maps[:, :, classes.index(against)], max(at_least, largest), two_sided=True)


def heatmap_on_crop(crop: Image, evidence: Evidence, size: int = 240) -> Image:
    """Return a gray face crop with the evidence over all of it: the stronger, the brighter and the more opaque.

    Two-sided evidence is blue where it speaks for the expression and orange where it speaks against it. The result is
    `(height, width, 3)` uint8 RGB, with `size` pixels on the longer side.
    """
    factor = size / max(crop.shape)
    target = (max(1, round(crop.shape[1] * factor)), max(1, round(crop.shape[0] * factor)))
    picture = cv2.resize(crop, target, interpolation=cv2.INTER_CUBIC if factor > 1 else cv2.INTER_AREA)
    return _blended(np.repeat(picture[:, :, None], 3, axis=2), _enlarged(evidence, target), evidence.two_sided)


def heatmap_on_face(image: Image, transform: Transform, *, evidence: Evidence) -> Image:
    """Return a copy of an RGB image with the evidence over one face, drawn as by `heatmap_on_crop`.

    `transform` leads from the image to the face's 48 x 48 crop, as in `FaceResult`.
    """
    image = require_rgb(image).copy()
    left, top, part = part_under(image, transform, CROP_SIZE)
    back = invert(transform)
    back[:, 2] -= (left, top)
    shares = cv2.warpAffine(_enlarged(evidence, (CROP_SIZE, CROP_SIZE)), back, part.shape[1::-1])
    part[:] = _blended(part, np.asarray(shares), evidence.two_sided)
    return image


def _visible_part(box: tuple[float, float, float, float], scale: float, width: int, height: int) -> Rectangle:
    x, y, box_width, box_height = (value * scale for value in box)
    left, right = np.clip((x, x + box_width), 0, width - 1)
    top, bottom = np.clip((y, y + box_height), 0, height - 1)
    return float(left), float(top), float(right), float(bottom)


def _draw_box(pen: ImageDraw.ImageDraw, box: Rectangle, color: str, line: int) -> None:
    """Draw a coloured rectangle between two thin dark ones, so that it is visible on any background."""
    halo = max(1, line // 3)
    for inset, width, ink in ((0, line + 2 * halo, DARK), (halo, line, color)):
        corners = (box[0] + inset, box[1] + inset, box[2] - inset, box[3] - inset)
        if corners[2] - corners[0] > 2 * line and corners[3] - corners[1] > 2 * line:
            pen.rectangle(corners, outline=ink, width=width)


def _fitting_text(pen: ImageDraw.ImageDraw, font: Font, number: int, result: FaceResult, room: float) -> str:
    """Return the longest label that fits into `room` pixels.

    The font has only ASCII's letters: accents are left out, and of a class in other letters only the number is shown.
    """
    answer = "".join(c for c in unicodedata.normalize("NFKD", result.answer) if not unicodedata.combining(c))
    if not answer.isascii():
        return f"{number}"
    full = f"{number} {answer} {percent(result.confidence)}" if result.sure else f"{number} {answer}"
    texts = (full, f"{number} {answer}", f"{number}")
    return next((text for text in texts if pen.textlength(text, font) + 8 <= room), texts[-1])


def _same_height(box: Rectangle, other: Rectangle) -> bool:
    return box[1] < other[3] and other[1] < box[3]


def _draw_label(
    pen: ImageDraw.ImageDraw, font: Font, text: str, box: Rectangle, avoided: Sequence[Rectangle], color: str
) -> Rectangle:
    """Draw a label at the place that covers least: above its box, below it, or inside at its top or bottom."""
    left, top, right, bottom = pen.textbbox((0, 0), text, font)
    pad = max(2.0, (bottom - top) * 0.25)
    width, height = right - left + 2 * pad, bottom - top + 2 * pad
    room_x, room_y = max(0.0, pen.im.size[0] - width), max(0.0, pen.im.size[1] - height)
    x = min(box[0], room_x)
    heights = (box[1] - height, box[3], box[1], box[3] - height)
    places = [(x, y, x + width, y + height) for y in (min(max(y, 0.0), room_y) for y in heights)]
    place = min(places, key=lambda p: sum(_shared_area(p, other) for other in (box, *avoided)))
    pen.rectangle(place, fill=color, outline=DARK)
    pen.text((place[0] + pad - left, place[1] + pad - top), text, fill=LIGHT if is_dark(color) else DARK, font=font)
    return place


def _shared_area(box: Rectangle, other: Rectangle) -> float:
    across = min(box[2], other[2]) - max(box[0], other[0])
    down = min(box[3], other[3]) - max(box[1], other[1])
    return max(0.0, across) * max(0.0, down)


def _encoded(image: Image, kind: str, **options: int) -> bytes:
    stream = io.BytesIO()
    Pillow.fromarray(image).save(stream, kind, **options)
    return stream.getvalue()


def _enlarged(evidence: Evidence, target: tuple[int, int]) -> NDArray[np.float32]:
    """Return the shares of the limit, smoothly enlarged to `target` (width, height), with the same strongest value."""
    shares = evidence.shares
    strongest = float(np.abs(shares).max())
    cell = max(target[0] / shares.shape[1], target[1] / shares.shape[0])
    large = cv2.resize(shares, target, interpolation=cv2.INTER_LINEAR)
    large = cv2.GaussianBlur(large, (0, 0), max(0.1, BLUR * cell), borderType=cv2.BORDER_REPLICATE)
    blurred = max(float(np.abs(large).max()), 1e-6)
    return np.clip(large * (strongest / blurred), -1, 1)  # blurring lowers the peak


def _blended(picture: Image, shares: NDArray[np.float32], two_sided: bool) -> Image:
    """Return an RGB picture with shares of -1 to 1, of the same height and width, as colours over it."""
    places = np.round((shares + 1) * 127.5 if two_sided else shares * 255).clip(0, 255).astype(np.uint8)
    colors = cv2.applyColorMap(places, TWO_SIDED if two_sided else GLOW)
    opacity = MAX_OPACITY * np.abs(shares)
    return np.asarray(cv2.blendLinear(np.ascontiguousarray(picture), colors, 1 - opacity, opacity))
