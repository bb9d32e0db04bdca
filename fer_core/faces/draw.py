"""Draw results into pictures: numbered boxes with labels, and detected faces with their landmarks."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from fer_core.data.images import require_rgb, resized
from fer_core.labels import COLORS
from fer_core.types import Face, FaceResult, Image

SHOWN_SIDE: Final = 1400  # pixels; pages do not show larger pictures
LINE_WIDTH: Final = 0.006  # of the picture's mean side
FONT_SIZE: Final = (0.018, 0.042)  # of the picture's mean side, at least and at most
FONT_TO_FACE: Final = 0.17  # of the median box's height, within these limits
MIN_FONT: Final = 11  # pixels; smaller text is not readable
MIN_CANVAS: Final = 320  # pixels; smaller pictures are enlarged so that a label fits
MARKED_SIDE: Final = 384  # pixels; longest side of pictures with marked faces
MARK: Final = "#F0E442"  # Okabe and Ito's yellow, which no expression has
DARK: Final = (17, 17, 17)
LIGHT: Final = (255, 255, 255)
UNSURE: Final = "#FFFFFF"  # colour where the model is not sure; no expression has it

Rectangle = tuple[float, float, float, float]
"""Left, top, right, bottom."""


def draw_faces(
    image: Image,
    results: Sequence[FaceResult],
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
        enlarge: enlarge a picture whose longest side is below 320 pixels to that size. Give False for video, whose
            frames must keep their size.
        numbers: the number of each result; by default 1, 2, …
        largest: reduce a picture whose longest side has more pixels to that size.

    Returns:
        `(height, width, 3)` uint8 RGB, of another size than `image` if it was enlarged or reduced.

    Raises:
        FerError: `image` is not an RGB picture.
    """
    return np.array(_drawn(image, results, MIN_CANVAS if enlarge else 1, largest, numbers))


def _drawn(
    image: Image,
    results: Sequence[FaceResult],
    smallest: int = MIN_CANVAS,
    largest: int | None = None,
    numbers: Sequence[int] | None = None,
) -> Pillow.Image:
    """Return the drawing of `draw_faces`, first scaled to a longest side within two limits in pixels."""
    image = require_rgb(image)
    longest = max(image.shape[:2])
    scale = max(smallest, longest if largest is None else min(longest, largest)) / longest
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    canvas = Pillow.fromarray(image if scale >= 1 else resized(image, (width, height)))
    if canvas.size != (width, height):
        canvas = canvas.resize((width, height), Pillow.Resampling.BICUBIC)
    pen = ImageDraw.Draw(canvas)
    mean_side = (width * height) ** 0.5
    line = max(2, round(LINE_WIDTH * mean_side))
    boxes = [_visible_part(result.face.box, scale, width, height) for result in results]
    font = _font(_font_size(boxes, mean_side))
    for box, result in zip(boxes, results, strict=True):
        _draw_box(pen, box, _color(result), line)
    labels: list[Rectangle] = []
    for number, box, result in zip(numbers or range(1, len(results) + 1), boxes, results, strict=True):
        text = _fitting_text(pen, font, number, result, width)
        others = [other for other in boxes if other is not box]
        labels.append(_draw_label(pen, font, text, box, [*others, *labels], _color(result)))
    return canvas


def marked_faces(image: Image, faces: Sequence[Face], side: int = MARKED_SIDE) -> Image:
    """Return a copy of an image with the box and the five landmarks of each face.

    Args:
        image: `(height, width, 3)` uint8 RGB.
        faces: of this image.
        side: pixels of the longer side of the result.

    Returns:
        `(height, width, 3)` uint8 RGB, enlarged or reduced.

    Raises:
        FerError: `image` is not an RGB picture.
    """
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


def annotated_jpeg(image: Image, results: Sequence[FaceResult], side: int = SHOWN_SIDE) -> bytes:
    """Return the drawing of `draw_faces` as a JPEG of at most `side` pixels, small enough to send to a browser."""
    return _encoded(_drawn(image, results, largest=side), "JPEG", quality=90)


def annotated_png(image: Image, results: Sequence[FaceResult]) -> bytes:
    """Return the drawing of `draw_faces` in full size as a PNG."""
    return _encoded(_drawn(image, results), "PNG")


def png(image: Image) -> bytes:
    """Return a picture encoded as PNG."""
    return _encoded(Pillow.fromarray(image), "PNG")


def enlarged_pixels(crop: Image, size: int = 336) -> Image:
    """Return a crop enlarged by a whole factor to at most `size` pixels, so that its pixels become visible squares."""
    factor = max(1, size // crop.shape[1])
    return np.repeat(np.repeat(crop, factor, axis=0), factor, axis=1)


def _visible_part(box: tuple[float, float, float, float], scale: float, width: int, height: int) -> Rectangle:
    x, y, box_width, box_height = (value * scale for value in box)
    left, right = np.clip((x, x + box_width), 0, width - 1)
    top, bottom = np.clip((y, y + box_height), 0, height - 1)
    return float(left), float(top), float(right), float(bottom)


@lru_cache(maxsize=64)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=size)


def _font_size(boxes: Sequence[Rectangle], mean_side: float) -> int:
    smallest, largest = (part * mean_side for part in FONT_SIZE)
    face = float(np.median([bottom - top for _, top, _, bottom in boxes])) if boxes else mean_side
    return round(max(MIN_FONT, min(max(FONT_TO_FACE * face, smallest), largest)))


def _draw_box(pen: ImageDraw.ImageDraw, box: Rectangle, color: str, line: int) -> None:
    """Draw a coloured rectangle between two thin dark ones, so that it is visible on any background."""
    halo = max(1, line // 3)
    for inset, width, ink in ((0, line + 2 * halo, DARK), (halo, line, color)):
        corners = (box[0] + inset, box[1] + inset, box[2] - inset, box[3] - inset)
        if corners[2] - corners[0] > 2 * line and corners[3] - corners[1] > 2 * line:
            pen.rectangle(corners, outline=ink, width=width)


def _color(result: FaceResult) -> str:
    return COLORS[result.expression] if result.sure else UNSURE


def _fitting_text(
    pen: ImageDraw.ImageDraw,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    number: int,
    result: FaceResult,
    width: int,
) -> str:
    """Return the longest label that fits into a picture `width` pixels wide."""
    full = f"{number} {result.expression} {result.confidence:.0%}" if result.sure else f"{number} {result.answer}"
    texts = (full, f"{number} {result.answer}", result.answer, f"{number}")
    return next((text for text in texts if pen.textlength(text, font) + 8 <= width), texts[-1])


def _draw_label(
    pen: ImageDraw.ImageDraw,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    text: str,
    box: Rectangle,
    avoided: Sequence[Rectangle],
    color: str,
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
    pen.text((place[0] + pad - left, place[1] + pad - top), text, fill=_ink_on(color), font=font)
    return place


def _shared_area(one: Rectangle, other: Rectangle) -> float:
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, across) * max(0.0, down)


def _ink_on(color: str) -> tuple[int, int, int]:
    """Return dark or light, whichever has more contrast (WCAG 2 relative luminance) with a `#rrggbb` colour."""
    channels = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    luminance = float(linear @ (0.2126, 0.7152, 0.0722))
    return DARK if luminance > 0.179 else LIGHT


def _encoded(picture: Pillow.Image, kind: str, **options: int) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()
