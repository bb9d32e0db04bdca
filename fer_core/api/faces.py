"""Predict the expression of every face in pictures and videos in one call, and show the table of them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator
from functools import lru_cache, partial
from pathlib import PurePosixPath
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image as Pillow

from fer_core.archives.storage import Unreachable, find_files, read_picture, shown
from fer_core.archives.worker import analyze_file, columns_of
from fer_core.classifier import Classifier
from fer_core.data import IMAGE_SUFFIXES, read_image
from fer_core.extras import extras
from fer_core.faces import crop_face, draw_faces
from fer_core.inference import FaceAnalyzer
from fer_core.inference.face_table import timeline_points
from fer_core.inference.pictures import BOX, analyze_picture, result_columns
from fer_core.inference.video_reader import VIDEO_SUFFIXES
from fer_core.labels import EXPRESSIONS
from fer_core.store.folders import DEFAULT_MODEL, load_model
from fer_core.store.stored_model import StoredModel
from fer_core.threads import default_workers, in_parallel
from fer_core.types import Face, FaceResult, FerError, Image

Source = str | os.PathLike[str] | bytes | Pillow.Image | NDArray[np.uint8]

_TYPES: Final = {
    **dict.fromkeys(("file", "error", "expression", "model"), "str"),
    **dict.fromkeys(("frame", "face"), "Int64"),
    "sure": "boolean",
}


def columns(classes: tuple[str, ...] = EXPRESSIONS) -> list[str]:
    """Return the columns of `analyze` by a model of these classes."""
    return ["file", "error", "frame", "seconds", "face", *result_columns(classes), "model"]


def analyze(
    source: Source | Iterable[Source],
    *,
    model: str = DEFAULT_MODEL,
    whole_image: bool = False,
    flip: bool = False,
    rate: float | None = None,
    smoothing: float = 0.0,
    workers: int | None = None,
) -> pd.DataFrame:
    """Predict the expression of every face in pictures and videos.

    Args:
        source: a file, a folder, a pattern such as `"*.jpg"`, an address (`https://`, `s3://`, `gs://`), the content of
            a picture file, a picture that Pillow has opened, or an array `(height, width, 3)` RGB or `(height, width)`
            gray, uint8; or several of them, in a list, an array or a column. A folder stands for all pictures and
            videos in it. OpenCV's arrays are BGR: give `image[..., ::-1]`.
        model: name of a trained model.
        whole_image: each picture is one face crop already, so do not look for faces.
        flip: average each face with its mirror image.
        rate: frames of a video to analyse per second; all by default.
        smoothing: time constant in seconds of the mean of a face's probabilities in a video; 0 for none.
        workers: files to analyse at the same time; by default one for each core.

    Returns:
        One row for each face. A picture or a frame without a face has a row with missing values, and so has a file that
        cannot be used: `error` says why.

        - `file`: the path or address, or `picture 1`, `picture 2`, … for what has none.
        - `error`: why the file, or a part of it, could not be used; else missing.
        - `frame`, `seconds`: of a video, the number of the analysed frame from 0, and its time.
        - `face`: from 1, row by row and from left to right; in a video, the number that the face keeps.
        - `x`, `y`, `width`, `height`: the face's box in pixels.
        - `expression`: the most probable one; `sure`: whether its probability reaches the model's threshold.
        - `angry` to `neutral`: the seven probabilities, or those of the model's own classes.
        - `detector_score`: the confidence that this is a face, 0 to 1.
        - `roll`, `yaw`, `pitch`: degrees by which the head is turned: clockwise in the picture, to its right, and up.
        - `left_eye_x` to `right_mouth_y`: five landmarks in pixels, left and right as in the picture.
        - `model`: its name.

        Yaw and pitch are approximate, see `fer_core.faces.head_pose`. Landmarks and angles are missing where the
        detector gives none, and with `whole_image`. `faces.fer` has a summary, a timeline and a drawing of them, see
        `FaceTable`.

    Raises:
        FerError: there is no such model, or nothing of the source can be used.

    Example:
        >>> import fer_core
        >>> from fer_core.data import sample_portrait
        >>> faces = fer_core.analyze(sample_portrait())
        >>> faces[["file", "face", "expression", "sure"]].to_dict("records")
        [{'file': 'picture 1', 'face': 1, 'expression': 'happy', 'sure': True}]
    """
    items = list(_items(source))
    if not items:
        raise FerError("Expected at least one picture or video. Received: none")
    count = max(1, min(default_workers() if workers is None else workers, len(items)))
    stored = load_model(model)
    classes = stored.card.classes
    analyzer = FaceAnalyzer(_classifier(stored, stored.version, threads=1 if count > 1 else 2), flip=flip)
    if analyzer.detector.note and not whole_image:
        warnings.warn(analyzer.detector.note, stacklevel=2)

    def rows(item: tuple[str, Any]) -> list[dict[str, Any]]:
        name, picture = item
        if not isinstance(picture, str):
            result = analyze_picture(partial(_read, name, picture), analyzer, file=name, whole_image=whole_image)
            return [dict(zip(columns_of("photos", classes), row, strict=True)) for row in result.rows()]
        is_video = PurePosixPath(shown(name)).suffix.lower() in VIDEO_SUFFIXES
        kind: Literal["photos", "videos"] = "videos" if is_video else "photos"
        try:
            analyzed = analyze_file(name, kind, analyzer, whole_image=whole_image, rate=rate, smoothing=smoothing)
        except Unreachable as error:
            return [{"file": shown(name), "error": str(error)}]
        return [dict(zip(columns_of(kind, classes), row, strict=True)) for row in analyzed]

    all_rows = [row for part in in_parallel(rows, items, workers=count) for row in part]
    errors = [row["error"] for row in all_rows if row["error"]]
    if len(errors) == len(all_rows):
        raise FerError(errors[0])
    names = columns(classes)
    table = pd.DataFrame(all_rows).reindex(columns=names).assign(model=model)
    return table.astype({name: _TYPES.get(name, "float64") for name in names})


def _items(source: Any) -> Iterator[tuple[str, Any]]:
    """Yield names, each with the picture, or again with the name if it is that of a file."""
    single = isinstance(source, str | os.PathLike | bytes | Pillow.Image) or getattr(source, "ndim", 4) in (0, 2, 3)
    for number, item in enumerate([source] if single or not isinstance(source, Iterable) else source, 1):
        if isinstance(item, str | os.PathLike):
            yield from ((file, file) for file in find_files([os.fspath(item)], (*IMAGE_SUFFIXES, *VIDEO_SUFFIXES)))
        else:
            yield getattr(item, "filename", "") or f"picture {number}", item


def _read(name: str, picture: Any) -> Image:
    """Return one of `_items` as RGB."""
    if isinstance(picture, str):
        return read_picture(name)
    if isinstance(picture, bytes | Pillow.Image):
        return read_image(picture, name)
    if isinstance(picture, np.ndarray) and picture.shape[2:] == (1,):
        picture = picture[..., 0]
    channels = picture.shape[2:] if isinstance(picture, np.ndarray) and picture.ndim > 1 else None
    if channels not in ((), (3,), (4,)) or picture.dtype != np.uint8 or not picture.size:
        received = f"{picture.dtype}, shape {picture.shape}" if isinstance(picture, np.ndarray) else type(picture)
        raise FerError(
            f"{name} is no picture. Expected a path, a Pillow image, or an array of uint8: RGB (height, width, 3) or "
            f"gray (height, width). Received: {received}"
        )
    return read_image(Pillow.fromarray(picture), name)


@lru_cache(4)
def _classifier(model: StoredModel, version: tuple[int, ...], threads: int) -> Classifier:  # noqa: ARG001 (cache key)
    return model.classifier(threads)


@pd.api.extensions.register_dataframe_accessor("fer")
class FaceTable:
    """What a table of `analyze` shows, as `faces.fer`. All methods use the rows that the table has, so select first.

    Example:
        >>> from fer_core.data import sample_portrait
        >>> faces = analyze(sample_portrait())
        >>> int(faces.fer.summary().loc["happy", "faces"])
        1
        >>> faces.fer.draw(sample_portrait()).size
        (512, 512)
    """

    def __init__(self, table: pd.DataFrame) -> None:
        missing = [name for name in columns(()) if name not in table]
        if missing:
            raise AttributeError(f"This is no table of fer_core.analyze. Missing columns: {', '.join(missing)}")
        self._table, names = table, [str(name) for name in table]
        self._classes = tuple(names[names.index("expression") + 1 : names.index("sure")])

    def summary(self) -> pd.DataFrame:
        """Return a row for each expression: `faces` (rows with it), their `share`, how many are `sure`, and the mean
        `probability` of the expression over all faces. The frames of a video count as faces."""
        detected = self._table.dropna(subset="face")
        names = pd.Index(self._classes, name="expression")
        faces = detected["expression"].value_counts().reindex(names, fill_value=0)
        sure = detected.loc[detected["sure"].astype(bool), "expression"].value_counts().reindex(names, fill_value=0)
        columns = {"faces": faces, "share": faces / max(len(detected), 1), "sure": sure}
        return pd.DataFrame(columns | {"probability": detected[list(self._classes)].mean()}, index=names)

    @extras()
    def timeline(self, face: int = 1) -> Any:
        """Return a Plotly figure of one face's seven probabilities over the seconds of a video."""
        from fer_core.figures.timelines import timeline_chart

        if self._table["seconds"].isna().all() or len(self._table["file"].unique()) != 1:
            raise FerError("A timeline needs the faces of one video. Select the rows of one file first.")
        points = timeline_points(self._table, face, classes=self._classes)
        return timeline_chart(points, classes=self._classes)

    def draw(self, picture: Source | None = None) -> Pillow.Image:
        """Return the picture with boxes and labels. Give the picture if it was not a file."""
        names = self._table["file"].unique()
        if len(names) != 1 or self._table["seconds"].notna().any():
            raise FerError("A drawing needs the faces of one picture. Select the rows of one file first.")
        items = list(_items(str(names[0]) if picture is None else picture))
        if len(items) != 1:
            raise FerError(f"A drawing needs one picture. Received: {len(items)}")
        image, results = _read(*items[0]), []
        for row in self._table.dropna(subset="face").to_dict("records"):
            x, y, width, height = (float(row[side]) for side in BOX)
            face = Face((x, y, width, height), row["detector_score"])
            probabilities = np.array([row[name] for name in self._classes], np.float32)
            shown: dict[str, Any] = {"not_sure_below": 0.0 if row["sure"] else np.inf, "classes": self._classes}
            results.append(FaceResult(face, *crop_face(image, face), probabilities, **shown))
        return Pillow.fromarray(draw_faces(image, results))
