"""Cut the largest face out of each of many pictures, as FER2013 frames faces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fer_core.data.images import read_image
from fer_core.faces.detector import default_detector
from fer_core.faces.framing import CROP_SIZE, crop_face, whole_image_face
from fer_core.threads import in_parallel
from fer_core.types import FerError, Image
from fer_core.visitors import max_pixels

_SAY_EVERY: Final = 50  # pictures


class CutFaces(NamedTuple):
    """The faces of the pictures that show one.

    Attributes:
        images: `(k, 48, 48)` uint8 gray.
        places: `(k,)` int64, the place of each face's picture among all pictures, ascending.
        unread, faceless: one sentence for each picture that cannot be read, or shows no face.
    """

    images: NDArray[np.uint8]
    places: NDArray[np.int64]
    unread: list[str]
    faceless: list[str]


def cut_faces(
    sources: Sequence[Path | bytes],
    names: Sequence[str],
    *,
    whole_image: bool = False,
    say: Callable[[int, int], None] = lambda *_: None,
) -> CutFaces:
    """Read pictures, by all cores, and crop the largest face of each.

    Args:
        sources: the pictures, each a path or the content of a file.
        names: of the pictures, for sentences about them.
        whole_image: the pictures are face crops already, so do not look for faces in them.
        say: is called with the number of pictures that are done, and of all.
    """
    most = max_pixels()

    def cut(place: int) -> Image | str | None:
        try:
            image = read_image(sources[place], names[place], max_pixels=most)
            faces = [whole_image_face(image)] if whole_image else default_detector().detect(image)
        except FerError as error:
            return str(error)
        return crop_face(image, faces[0])[0] if faces else None

    images, places, unread, faceless = [], [], [], []
    for place, result in enumerate(in_parallel(cut, range(len(sources)))):
        if place % _SAY_EVERY == 0:
            say(place, len(sources))
        if isinstance(result, str):
            unread.append(result)
        elif result is None:
            faceless.append(f"{names[place]} shows no face that can be found and is left out.")
        else:
            images.append(result)
            places.append(place)
    say(len(sources), len(sources))
    shaped = np.array(images, np.uint8).reshape(-1, CROP_SIZE, CROP_SIZE)
    return CutFaces(shaped, np.array(places, np.int64), unread, faceless)
