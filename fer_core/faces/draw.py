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
FONT_SIZE: Final = (0.018, 0.042)  # of the picture's mean side, at least and at most
FONT_TO_FACE: Final = 0.17  # of the median box's height, within those limits: a crowd needs small labels
SMALLEST_FONT: Final = 11  # pixels; smaller letters cannot be read
SMALLEST_CANVAS: Final = 320  # pixels: smaller pictures are enlarged so that a label fits
SMOOTHING: Final = 0.4  # of a map cell's size, so that no cell's edge is seen
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
    line = max(2, round(LINE_WIDTH * mean_side))
    boxes = [_visible_part(result.face.box, scale, width, height) for result in results]
    font = ImageFont.load_default(size=_font_size(boxes, mean_side))
    for box, result in zip(boxes, results, strict=True):
        _draw_box(pen, box, COLORS[result.expression], line)
    labels: list[Rectangle] = []
    for number, (box, result) in enumerate(zip(boxes, results, strict=True), start=1):
        text = _fitting_text(pen, font, number, result, width)
        others = [other for other in boxes if other is not box]
        labels.append(_draw_label(pen, font, text, box, [*others, *labels], COLORS[result.expression]))
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
    top = float(heat.max())
    factor = size / max(crop.shape[:2])
    target = (max(1, round(crop.shape[1] * factor)), max(1, round(crop.shape[0] * factor)))
    cell = max(target[0] / heat.shape[1], target[1] / heat.shape[0])
    heat = cv2.resize(heat, target, interpolation=cv2.INTER_LINEAR)
    heat = cv2.GaussianBlur(heat, (0, 0), max(0.1, SMOOTHING * cell), borderType=cv2.BORDER_REPLICATE)
    heat = np.clip(heat * (top / max(float(heat.max()), 1e-6)), 0, 1)  # blurring lowered the peak
    picture = cv2.resize(crop, target, interpolation=cv2.INTER_CUBIC if factor > 1 else cv2.INTER_AREA)
    if picture.ndim == 2:
        picture = np.repeat(picture[:, :, None], 3, axis=2)
    levels = np.round(heat * 255).astype(np.uint8)
    colors = cv2.cvtColor(cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
    opacity = MAX_HEAT * heat[:, :, None]
    return np.round(picture * (1 - opacity) + colors * opacity).astype(np.uint8)


def _visible_part(box: tuple[float, float, float, float], scale: float, width: int, height: int) -> Rectangle:
    x, y, box_width, box_height = (value * scale for value in box)
    left, right = np.clip((x, x + box_width), 0, width - 1)
    top, bottom = np.clip((y, y + box_height), 0, height - 1)
    return float(left), float(top), float(right), float(bottom)


def _font_size(boxes: Sequence[Rectangle], mean_side: float) -> float:
    smallest, largest = (part * mean_side for part in FONT_SIZE)
    face = float(np.median([bottom - top for _, top, _, bottom in boxes])) if boxes else mean_side
    return max(SMALLEST_FONT, min(max(FONT_TO_FACE * face, smallest), largest))


def _draw_box(pen: ImageDraw.ImageDraw, box: Rectangle, color: str, line: int) -> None:
    """Draw a coloured rectangle between two thin dark ones, so that it shows on any background."""
    halo = max(1, line // 3)
    for inset, width, ink in ((0, line + 2 * halo, DARK), (halo, line, color)):
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
    avoided: Sequence[Rectangle],
    color: str,
) -> Rectangle:
    """Write a label above its box, or where it covers less: below, or inside at the top or bottom."""
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
    """Return black or white, whichever contrasts more (WCAG 2 relative luminance) with a `#rrggbb` colour."""
    channels = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    luminance = float(linear @ (0.2126, 0.7152, 0.0722))
    return DARK if luminance > 0.179 else LIGHT
