"""Pictures that visitors give, and what models predict for them; each is analysed once per session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

from fer_core.data import SAMPLE_CREDIT, read_image, sample_portrait
from fer_core.explain import OcclusionMap, Tour, close_up, occlusion_map, tour
from fer_core.faces import (
    DetectionStages,
    Evidence,
    annotated_jpeg,
    annotated_png,
    default_detector,
    detection_stages,
    enlarged_pixels,
    heatmap_on_crop,
    preprocess_faces,
)
from fer_core.inference import Classifier, FaceAnalyzer
from fer_core.inference.pictures import PictureResult, annotated_zip
from fer_core.models import ModelSpec
from fer_core.store.folders import open_model
from fer_core.store.stored_model import StoredModel
from fer_core.threads import kept
from fer_core.types import Face, FaceResult, FerError, Image, reason
from fer_core.visitors import limits
from pages.parts.common import plain
from pages.parts.notice import PHOTO, all_agree

SOURCES: Final = {
    "Sample": "The built-in portrait: " + SAMPLE_CREDIT + ".",
    "Upload": "Your pictures stay on the computer that runs FER Lab, and only as long as this page is open.",
    "Camera": "Look into the camera and take a photo. The browser asks for permission first.",
}
"""Where pictures come from, and what to know about it."""

LIVE: Final = "Live"
"""The source that is offered once a frame was frozen on the Live camera page."""

FROZEN: Final = "frozen_frame"
"""Key of that frame in the session state, a `Picture`."""

UPLOAD_MEGABYTES: Final = 300
"""The largest sum of the files in one upload, which stay in memory while the page is open."""

LEFT_OUT: Final = "pictures_left_out"
"""Key in the session state of the sentence about uploads that are not used, with the names of those that are."""

TILE: Final = 336
"""Side in pixels of an enlarged face crop: seven times 48."""


@dataclass(frozen=True)
class Picture:
    """One picture of a visitor.

    Attributes:
        name: its file name.
        key: identifies its content in the caches.
        file: an open file, read only when needed; None for the built-in sample.
    """

    name: str
    key: str
    file: Any = field(default=None, repr=False, compare=False)


PICTURE_MEGABYTES: Final = 50
"""The largest file of one picture. Zips and videos may be as large as `server.maxUploadSize` in `config.toml`."""

SAMPLE: Final = Picture("astronaut.png", "sample")

_PER_SESSION: Final[dict[str, Any]] = {"scope": "session", "hash_funcs": {Picture: lambda picture: picture.key}}
"""Options of the caches of pictures: they end with the session. None of them holds a picture in its full size."""


def available_sources() -> list[str]:
    """Return the sources that can be chosen now."""
    return [*SOURCES, LIVE] if FROZEN in st.session_state else list(SOURCES)


def pictures_from(source: str, prefix: str = "p", several: bool = True) -> list[Picture]:
    """Show the widget of a source and return the pictures that it holds.

    Args:
        source: one of `available_sources()`.
        prefix: starts the keys of the widgets.
        several: whether more than one picture may be uploaded.
    """
    if source == "Upload":
        # Without a type filter, so that a wrong file gets a sentence that says what is wrong and what works.
        label = f"Pictures, together at most {UPLOAD_MEGABYTES} MB" if several else "Your picture"
        held = st.file_uploader(
            label, accept_multiple_files=several, key=f"{prefix}_upload", max_upload_size=picture_megabytes()
        )
        files = held if isinstance(held, list) else [held] if held else []
        return [Picture(file.name, file.file_id, file) for file in _within_limit(files)]
    if source == "Camera":
        if not all_agree(PHOTO):
            return []
        left, _ = st.columns([1, 1])
        photo = left.camera_input("Photo", key=f"{prefix}_camera", label_visibility="collapsed")
        return [Picture("camera.jpg", photo.file_id, photo)] if photo else []
    if source == LIVE:
        return [st.session_state[FROZEN]]
    return [SAMPLE]


def picture_megabytes() -> int:
    """Return the largest file of a picture in MB, which is never above what the server takes."""
    return min(PICTURE_MEGABYTES, st.get_option("server.maxUploadSize"))


def _within_limit(files: list[Any]) -> list[Any]:
    """Return the uploaded files that may be used, and say if that is not all. The others are forgotten."""
    given = limits()
    most = len(files) if given is None else given.pictures
    sums = list(accumulate(file.size for file in files))
    kept = [file for file, total in zip(files[:most], sums, strict=False) if total <= 1e6 * UPLOAD_MEGABYTES]
    names = [file.file_id for file in kept]
    if len(kept) < len(files):
        limit = f"{UPLOAD_MEGABYTES} MB" if given is None else f"{most} pictures and {UPLOAD_MEGABYTES} MB"
        st.session_state[LEFT_OUT] = (
            names,
            f"Only the first {len(kept)} pictures are used. Expected at most {limit} at a time. "
            f"Received: {len(files)} pictures, {sums[-1] / 1e6:,.0f} MB",
        )
        forget(files[len(kept) :])
    of, sentence = st.session_state.get(LEFT_OUT, ([], ""))
    if names and of == names:
        st.warning(sentence, icon=":material/warning:")
    return kept


def forget(files: list[Any]) -> None:
    """Delete uploaded files from memory, where Streamlit keeps them until the visit ends."""
    context = get_script_run_ctx()
    if context is not None and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        for file in files:
            context.uploaded_file_mgr.remove_file(context.session_id, file.file_id)


@dataclass(frozen=True)
class ServedModel:
    """A stored model as its file is now, and how it is applied to pictures.

    Attributes:
        name, title: of the stored model.
        folder: path of its folder.
        version: of its files, so that a changed model is opened anew.
        flip: average each face with its mirror image.
        whole_image: take each picture as a face crop.
        preprocessing: what is done to a crop before the model sees it.
        not_sure_below: the confidence below which it is not sure; 0 for none.
    """

    name: str
    title: str
    folder: str
    version: tuple[int, ...]
    flip: bool = False
    whole_image: bool = False
    preprocessing: str = "none"
    not_sure_below: float = 0.0

    @staticmethod
    def of(model: StoredModel, flip: bool = False, whole_image: bool = False) -> ServedModel:
        """Describe a stored model as its file is now."""
        threshold = model.card.not_sure
        return ServedModel(
            model.name,
            model.title,
            str(model.folder),
            model.version,
            flip,
            whole_image,
            model.card.preprocessing,
            0.0 if threshold is None else threshold.below,
        )

    def analyzer(self) -> FaceAnalyzer:
        """Return the analyzer of pictures."""
        return FaceAnalyzer(self.classifier(), default_detector(), flip=self.flip)

    def classifier(self) -> Classifier:
        """Return the classifier, which is loaded once for all sessions."""
        return _classifier(self.folder, self.version)


@kept(12)
def _classifier(folder: str, version: tuple[int, ...]) -> Classifier:  # noqa: ARG001 (cache key)
    return open_model(Path(folder)).classifier()


def load_models(
    models: list[StoredModel], flip: bool = False, whole_image: bool = False
) -> tuple[list[ServedModel], list[str]]:
    """Load models and return those that work, and a sentence for each that does not."""
    loaded: list[ServedModel] = []
    complaints: list[str] = []
    for model in models:
        try:
            with st.spinner(f"Loading {plain(model.title)}"):
                served = ServedModel.of(model, flip, whole_image)
                served.analyzer()
            loaded.append(served)
        except (FerError, OSError) as error:
            complaints.append(str(error) if isinstance(error, FerError) else f"{model.title}: {reason(error)}")
    return loaded, complaints


def decoded(picture: Picture) -> Image:
    """Return a picture as RGB."""
    return sample_portrait() if picture.file is None else read_image(picture.file.getvalue(), picture.name)


def analyze(picture: Picture, model: ServedModel, read: Callable[[Picture], Image] = decoded) -> PictureResult:
    """Return what a model predicts for a picture, without the cache."""
    try:
        faces = model.analyzer().analyze(read(picture), whole_image=model.whole_image)
    except FerError as error:
        return PictureResult(picture.name, model.name, error=str(error))
    return PictureResult(picture.name, model.name, tuple(faces))


def result_for(picture: Picture, model: ServedModel, read: Callable[[Picture], Image] = decoded) -> PictureResult:
    """Return what a model predicts for a picture, from the session's cache; `read` is called if it is not there."""
    return _result(picture, model, default_detector().note, read)


@st.cache_data(max_entries=1000, show_spinner=False, **_PER_SESSION)
def _result(
    picture: Picture,
    model: ServedModel,
    detector_note: str | None,  # noqa: ARG001 (cache key)
    _read: Callable[[Picture], Image],
) -> PictureResult:
    return analyze(picture, model, _read)


def results_for(pictures: list[Picture], models: list[ServedModel]) -> dict[ServedModel, list[PictureResult]]:
    """Return what each model predicts for each picture, with a progress bar if there are many pictures."""
    total = len(pictures) * len(models)
    bar = st.progress(0.0) if len(pictures) > 3 else None
    results: dict[ServedModel, list[PictureResult]] = {model: [] for model in models}
    with st.spinner("Looking for faces"):
        for number, picture in enumerate(pictures):
            read = cache(decoded)  # once for all models, and forgotten with the next picture
            for done, model in enumerate(models, number * len(models) + 1):
                results[model].append(result_for(picture, model, read))
                if bar:
                    bar.progress(done / total, f"{done} of {total}")
    if bar:
        bar.empty()
    return results


@st.cache_data(max_entries=60, show_spinner=False, **_PER_SESSION)
def annotated(picture: Picture, model: ServedModel) -> bytes:
    """Return the picture with numbered boxes around its faces, as a JPEG file for the page."""
    return annotated_jpeg(decoded(picture), result_for(picture, model).faces)


def close_up_of(picture: Picture, result: FaceResult) -> tuple[Image, Face]:
    """Return the surroundings of a face, and the face in their coordinates. The array must not be changed."""
    return _close_up(picture, result.face.box, result.face)


@st.cache_resource(max_entries=20, show_spinner=False, **_PER_SESSION)
def _close_up(picture: Picture, box: tuple[float, ...], _face: Face) -> tuple[Image, Face]:  # noqa: ARG001 (cache key)
    return close_up(decoded(picture), _face)


def stages_of(picture: Picture) -> DetectionStages:
    """Return what face detection makes of a picture, from the session's cache."""
    return _stages(picture, default_detector().note)


@st.cache_resource(max_entries=20, show_spinner=False, **_PER_SESSION)
def _stages(picture: Picture, detector_note: str | None) -> DetectionStages:  # noqa: ARG001 (cache key)
    return detection_stages(decoded(picture))


def annotated_download(pictures: list[Picture], results: list[PictureResult]) -> bytes:
    """Return the annotated picture as a PNG file, or several as a zip. It needs no session."""
    if len(pictures) == 1:
        return annotated_png(decoded(pictures[0]), results[0].faces)
    pairs = zip(pictures, results, strict=True)
    return annotated_zip((picture.name, decoded(picture), result.faces) for picture, result in pairs)


def input_tile(face: FaceResult, model: ServedModel) -> Image:
    """Return the crop as the model sees it, each pixel enlarged to a square."""
    return enlarged_pixels(preprocess_faces(face.crop[None], model.preprocessing)[0], TILE)


def evidence_tile(face: FaceResult, evidence: Evidence) -> Image:
    """Return the crop with the evidence laid over it."""
    return heatmap_on_crop(face.crop, evidence, size=TILE)


@st.cache_data(max_entries=200, show_spinner=False, **_PER_SESSION)
def occlusion_of(picture: Picture, model: ServedModel, number: int) -> OcclusionMap:
    """Return the occlusion map of one face; faces are numbered from 1."""
    face = result_for(picture, model).faces[number - 1]
    return occlusion_map(model.classifier(), face.crop, flip=model.flip)


def tour_of(picture: Picture, model: ServedModel, spec: ModelSpec) -> Tour:
    """Return every step from a picture to the probabilities of its largest face, from the session's cache.

    Raises:
        FerError: the picture cannot be read or has no face, or the model's maps do not cover the face.
    """
    return _tour(picture, model, spec, default_detector().note)


@st.cache_resource(max_entries=10, show_spinner="Following the face through the model …", **_PER_SESSION)
def _tour(picture: Picture, model: ServedModel, spec: ModelSpec, detector_note: str | None) -> Tour:  # noqa: ARG001 (cache key)
    return tour(model.classifier(), spec, decoded(picture))
