"""A link as a QR code, for phones that look at a projector."""

from __future__ import annotations

import cv2
import numpy as np

from fer_core.types import Image

_CELL = 8


def qr_code(link: str) -> Image:
    """Return the QR code of a link, `(side, side)` uint8 gray with a white margin and cells of 8 pixels.

    Raises:
        ValueError: the link is empty.
    """
    if not link:
        raise ValueError(f"Expected a link. Received: {link!r}")
    parameters = cv2.QRCodeEncoder.Params()
    parameters.mode = cv2.QRCodeEncoder_MODE_BYTE
    code = cv2.QRCodeEncoder.create(parameters).encode(link)
    return np.pad(np.kron(code, np.ones((_CELL, _CELL), np.uint8)), 2 * _CELL, constant_values=255)
