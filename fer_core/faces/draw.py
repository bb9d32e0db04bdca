"""Drawing results into pictures: numbered boxes with words, and heat over a crop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from fer_core.faces.image_check import require_gray_or_rgb, require_rgb
from fer_core.labels import COLORS
from fer_core.types import FaceResult, FerError, Image

LINE_WIDTH: Final = 0.006  # of the picture's mean side
FONT_SIZE: Final = 0.042  # of the picture's mean side
SMALLEST_FONT: Final = 11  # pixels; smaller letters cannot be read
SMALLEST_CANVAS: Final = 320  # pixels: smaller pictures are enlarged so that a label fits
MAX_HEAT: Final = 0.65  # opacity of the strongest evidence
DARK: Final = (17, 17, 17)
LIGHT: Final = (255, 255, 255)

Rectangle = tuple[float, float, float, float]
"""Left, top, right, bottom."""


def draw_faces(image: Image, results: Sequence[FaceResult], scale: float | None = None) -> Image:
    """Return a copy of an image with each face boxed, numbered and labelled "1 happy 93%".

    The numbers are the positions in `results`, from 1. Lines and letters grow with the picture; a label stays
    inside it, off other labels where there is room, and is shortened if the picture is narrower than the words.

    Args:
        image: `(height, width, 3)` uint8 RGB.
        results: faces of this image, in the order of the table beside it.
        scale: how much larger the returned picture is. None: 1, but pictures whose longest side is below 320
            pixels are enlarged to that. Give 1 for video, whose frames must keep their size.

    Returns:
        `(height * scale, width * scale, 3)` uint8 RGB.

    Raises:
        FerError: `image` is no RGB picture, or `scale` is not positive.
    """
    image = require_rgb(image)
    if scale is None:
        scale = max(1.0, SMALLEST_CANVAS / max(image.shape[:2]))
    if not scale > 0:
        raise FerError(f"The scale of a drawing must be a number above 0, such as 1 or 2. Received: {scale}")
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    canvas = Pillow.fromarray(image)
    if canvas.size != (width, height):
        canvas = canvas.resize((width, height), Pillow.Resampling.BICUBIC)
    pen = ImageDraw.Draw(canvas)
    mean_side = (width * height) ** 0.5
    font = ImageFont.load_default(size=max(SMALLEST_FONT, FONT_SIZE * mean_side))
    line = max(2, round(LINE_WIDTH * mean_side))
    boxes = [_scaled(result.face.box, scale) for result in results]
    for box, result in zip(boxes, results, strict=True):
        _draw_box(pen, box, COLORS[result.expression], line)
    placed: list[Rectangle] = []
    for number, (box, result) in enumerate(zip(boxes, results, strict=True), start=1):
        text = _fitting_text(pen, font, number, result, width)
        placed.append(_draw_label(pen, font, text, box, placed, COLORS[result.expression], line))
    return np.array(canvas)


def overlay_activation(
    crop: Image, activation_map: NDArray[np.floating], size: int = 240, peak: float | None = None
) -> Image:
    """Return a crop with the regions that spoke for an expression glowing over it.

    Only positive evidence shows. The stronger, the brighter and the more opaque, in the colours of `inferno`, whose
    lightness rises evenly, so that colour-blind people and gray prints keep the order.

    Args:
        crop: `(height, width)` gray or `(height, width, 3)` RGB, uint8.
        activation_map: `(rows, columns)` evidence for one expression, laid over the whole crop.
        size: longer side of the returned picture in pixels.
        peak: evidence shown at full strength; None: the map's own maximum. Give one value for all expressions to
            make their maps comparable.

    Returns:
        `(height, width, 3)` uint8 RGB.

    Raises:
        FerError: the crop is no picture, or the map is not two-dimensional.
    """
    crop = require_gray_or_rgb(crop)
    heat = np.nan_to_num(np.asarray(activation_map, np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    if heat.ndim != 2 or heat.size == 0:
        raise FerError(f"An activation map must have shape (rows, columns). Received: {heat.shape}")
    strongest = float(heat.max() if peak is None else peak)
    heat = np.clip(heat / strongest, 0, 1) if strongest > 0 else np.zeros_like(heat)
    factor = size / max(crop.shape[:2])
    target = (max(1, round(crop.shape[1] * factor)), max(1, round(crop.shape[0] * factor)))
    heat = np.clip(cv2.resize(heat, target, interpolation=cv2.INTER_CUBIC), 0, 1)
    picture = cv2.resize(crop, target, interpolation=cv2.INTER_CUBIC if factor > 1 else cv2.INTER_AREA)
    if picture.ndim == 2:
        picture = np.repeat(picture[:, :, None], 3, axis=2)
    levels = np.round(heat * 255).astype(np.uint8)
    colors = cv2.cvtColor(cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
    opacity = MAX_HEAT * np.sqrt(heat)[:, :, None]
    return np.round(picture * (1 - opacity) + colors * opacity).astype(np.uint8)


def _scaled(box: tuple[float, float, float, float], scale: float) -> Rectangle:
    x, y, width, height = box
    return x * scale, y * scale, (x + width) * scale, (y + height) * scale


def _draw_box(pen: ImageDraw.ImageDraw, box: Rectangle, color: str, line: int) -> None:
    """Draw a coloured rectangle between two thin dark ones, so that it shows on any background."""
    halo = max(1, line // 3)
    for inset, width, ink in ((-halo, line + 2 * halo, DARK), (0, line, color)):
        corners = (box[0] + inset, box[1] + inset, box[2] - inset, box[3] - inset)
        if corners[2] - corners[0] > 2 * line and corners[3] - corners[1] > 2 * line:
            pen.rectangle(corners, outline=ink, width=width)


def _fitting_text(
    pen: ImageDraw.ImageDraw,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    number: int,
    result: FaceResult,
    width: int,
) -> str:
    """Return the fullest wording that fits into a picture `width` pixels wide."""
    wordings = (
        f"{number} {result.expression} {result.confidence:.0%}",
        f"{number} {result.expression}",
        result.expression,
        f"{number}",
    )
    return next((text for text in wordings if pen.textlength(text, font) + 8 <= width), wordings[-1])


def _draw_label(
    pen: ImageDraw.ImageDraw,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    text: str,
    box: Rectangle,
    taken: Sequence[Rectangle],
    color: str,
    line: int,
) -> Rectangle:
    """Write a label above its box, or below or inside it where above is the border or another label."""
    left, top, right, bottom = pen.textbbox((0, 0), text, font)
    pad = max(2.0, (bottom - top) * 0.25)
    width, height = right - left + 2 * pad, bottom - top + 2 * pad
    room_x, room_y = max(0.0, pen.im.size[0] - width), max(0.0, pen.im.size[1] - height)
    x = min(max(box[0] - line / 2, 0.0), room_x)
    wishes = (box[1] - height, box[3], box[1], box[3] - height)
    inside = [y for y in wishes if 0 <= y <= room_y] or [min(max(wishes[0], 0.0), room_y)]
    places = [(x, y, x + width, y + height) for y in inside]
    place = next((p for p in places if not any(_overlap(p, other) for other in taken)), places[0])
    pen.rectangle(place, fill=color, outline=DARK)
    pen.text((place[0] + pad - left, place[1] + pad - top), text, fill=_ink_on(color), font=font)
    return place


def _overlap(one: Rectangle, other: Rectangle) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _ink_on(color: str) -> tuple[int, int, int]:
    """Return black or white, whichever contrasts more (WCAG 2 relative luminance) with a `#rrggbb` colour."""
    channels = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    luminance = float(linear @ (0.2126, 0.7152, 0.0722))
    return DARK if luminance > 0.179 else LIGHT
