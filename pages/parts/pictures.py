"""Pictures that visitors give, and what models predict for them; each is analysed once per session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate
from typing import Any, Final

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

from fer_core.data import SAMPLE_CREDIT, read_image
from fer_core.explain import OcclusionMap, Tour, close_up, occlusion_map, tour
from fer_core.explain.examples import EXAMPLES, example
from fer_core.faces import (
    Evidence,
    annotated_jpeg,
    annotated_png,
    default_detector,
    enlarged_pixels,
    heatmap_on_crop,
    preprocess_faces,
    upright_face,
)
from fer_core.inference import FaceAnalyzer
from fer_core.inference.pictures import PictureResult, annotated_zip
from fer_core.models import ModelSpec
from fer_core.store.stored_model import StoredModel
from fer_core.types import Face, FaceResult, FerError, Image, reason
from fer_core.visitors import limits, max_pixels
from pages.parts.common import plain
from pages.parts.data import classifier, computed_here, held_here, kept_by
from pages.parts.notice import PHOTO, all_agree

SOURCES: Final = {
    "Sample": f"The built-in portrait: {SAMPLE_CREDIT}.",
    "Upload": "Your pictures stay on the computer that runs FER Lab, and only as long as this page is open.",
    "Camera": "Look into the camera and take a photo. The browser asks for permission first.",
}
"""Where pictures come from, and what to know about it."""

LIVE: Final = "Live"  # the source that is offered once a frame was frozen on the Live camera page
EXAMPLE: Final = "p_example"  # query parameter of the example on show
FROZEN: Final = "frozen_frame"  # key of that frame in the session state, a `Picture`

UPLOAD_MEGABYTES: Final = 300  # the largest sum of the files in one upload, which stay in memory
PICTURE_MEGABYTES: Final = 50
"""The largest file of one picture. Zips and videos may be as large as `server.maxUploadSize` in `config.toml`."""

TILE: Final = 336  # side in pixels of an enlarged face crop: seven times 48


@dataclass(frozen=True)
class Picture:
    """One picture of a visitor, averaged with its `flip` or taken as a face crop if it is a `whole_image`."""

    name: str
    key: str  # identifies its content in the caches
    file: Any = field(default=None, repr=False, compare=False)  # read only when needed; None for one of `EXAMPLES`
    flip: bool = False
    whole_image: bool = False


SAMPLE: Final = Picture("astronaut.png", "Portrait")


def available_sources() -> list[str]:
    """Return the sources that can be chosen now."""
    return [*SOURCES, LIVE] if FROZEN in st.session_state else list(SOURCES)


def pictures_from(source: str, prefix: str = "p", several: bool = True) -> list[Picture]:
    """Show the widget of a source and return the pictures that it holds; `prefix` starts the keys of the widgets."""
    if source == "Upload":
        label = f"Pictures, together at most {UPLOAD_MEGABYTES} MB" if several else "Your picture"
        key, most = f"{prefix}_upload", picture_megabytes()
        held = st.file_uploader(label, accept_multiple_files=several, key=key, max_upload_size=most)
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
    return [picture_of_example(st.query_params.get(EXAMPLE) if several else None)]


def picture_of_example(title: str | None) -> Picture:
    """Return one of the examples by its title, the portrait for any other."""
    return Picture(f"{title.lower()}.png", title) if title in EXAMPLES and title != SAMPLE.key else SAMPLE


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
        sentence = (
            f"Only the first {len(kept)} pictures are used. Expected at most {limit} at a time. "
            f"Received: {len(files)} pictures, {sums[-1] / 1e6:,.0f} MB"
        )
        st.session_state["pictures_left_out"] = (names, sentence)  # it stays while these pictures do
        forget(files[len(kept) :])
    of, sentence = st.session_state.get("pictures_left_out", ([], ""))
    if names and of == names:
        st.warning(sentence, icon=":material/warning:")
    return kept


def forget(files: list[Any]) -> None:
    """Delete uploaded files from memory, where Streamlit keeps them until the visit ends."""
    context = get_script_run_ctx()
    if context is not None and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        for file in files:
            context.uploaded_file_mgr.remove_file(context.session_id, file.file_id)


def load_models(models: list[StoredModel]) -> tuple[list[StoredModel], list[str]]:
    """Load the classifiers of models; return the models that work, and a sentence for each that does not."""
    loaded, complaints = [], []
    for model in models:
        try:
            with st.spinner(f"Loading {plain(model.title)}"):
                classifier(model)
            loaded.append(model)
        except (FerError, OSError) as error:
            complaints.append(str(error) if isinstance(error, FerError) else f"{model.title}: {reason(error)}")
    return loaded, complaints


def opened_model(models: list[StoredModel]) -> StoredModel:
    """Load the first of the models and return it; a `FerError` says if it does not work."""
    loaded, broken = load_models(models[:1])
    if broken:
        raise FerError(broken[0])
    return loaded[0]


def analyzer(picture: Picture, model: StoredModel) -> FaceAnalyzer:
    """Return what analyses a picture by a model."""
    return FaceAnalyzer(classifier(model), default_detector(), flip=picture.flip)


def decoded(picture: Picture) -> Image:
    """Return a picture as RGB."""
    if picture.file is None:
        return example(picture.key)
    return read_image(picture.file.getvalue(), picture.name, max_pixels=max_pixels())


@kept_by(computed_here)
def picture_size(picture: Picture) -> tuple[int, ...]:
    """Return the height and width of a picture in pixels, as `decoded` returns it."""
    return decoded(picture).shape[:2]


def analyze(picture: Picture, model: StoredModel, read: Callable[[Picture], Image] = decoded) -> PictureResult:
    """Return what a model predicts for a picture, without the cache."""
    try:
        faces = analyzer(picture, model).analyze(read(picture), whole_image=picture.whole_image)
    except FerError as error:
        return PictureResult(picture.name, model.name, error=str(error), classes=model.card.classes)
    return PictureResult(picture.name, model.name, tuple(faces), classes=model.card.classes)


def result_for(picture: Picture, model: StoredModel, read: Callable[[Picture], Image] | None = None) -> PictureResult:
    """Return what a model predicts for a picture, from the session's cache; `read` is called if it is not there."""
    return computed_here(analyze, picture, model, read or cache(decoded))


def results_for(pictures: list[Picture], models: list[StoredModel]) -> dict[StoredModel, list[PictureResult]]:
    """Return what each model predicts for each picture, with a progress bar if there are many pictures."""
    results: dict[StoredModel, list[PictureResult]] = {model: [] for model in models}
    with st.spinner("Looking for faces"), st.empty():
        for number, picture in enumerate(pictures):
            if len(pictures) > 3:
                st.progress(number / len(pictures), f"{number} of {len(pictures)}")
            read = cache(decoded)  # once for all models, and forgotten with the next picture
            for model in models:
                results[model].append(result_for(picture, model, read))
        st.empty()
    return results


@kept_by(computed_here)
def annotated(picture: Picture, model: StoredModel) -> bytes:
    """Return the picture with numbered boxes around its faces, as a JPEG file for the page."""
    return annotated_jpeg(decoded(picture), result_for(picture, model).faces)


@kept_by(held_here)
def close_up_of(picture: Picture, model: StoredModel, number: int) -> tuple[Image, Face]:
    """Return the surroundings of a face, and the face in their coordinates. The array must not be changed."""
    image, face = decoded(picture), result_for(picture, model).faces[number - 1].face
    if picture.whole_image and max(image.shape) <= TILE:  # there is nothing around it
        return image, face
    return close_up(image, face)


@kept_by(held_here)
def faces_upright(picture: Picture, model: StoredModel) -> list[Image]:
    """Return each face of a picture upright in colour. The arrays must not be changed."""
    image = decoded(picture)
    return [upright_face(image, result.face) for result in result_for(picture, model).faces]


def annotated_download(pictures: list[Picture], results: list[PictureResult]) -> bytes:
    """Return the annotated picture as a PNG file, or several as a zip. It needs no session."""
    if len(pictures) == 1:
        return annotated_png(decoded(pictures[0]), results[0].faces)
    pairs = zip(pictures, results, strict=True)
    return annotated_zip((picture.name, decoded(picture), result.faces) for picture, result in pairs)


def input_tile(face: FaceResult, model: StoredModel) -> Image:
    """Return the crop as the model sees it, each pixel enlarged to a square."""
    return enlarged_pixels(preprocess_faces(face.crop[None], model.card.preprocessing)[0], TILE)


def evidence_tile(face: FaceResult, evidence: Evidence) -> Image:
    """Return the crop with the evidence laid over it."""
    return heatmap_on_crop(face.crop, evidence, size=TILE)


@kept_by(computed_here)
def occlusion_of(picture: Picture, model: StoredModel, number: int) -> OcclusionMap:
    """Return the occlusion map of one face; faces are numbered from 1."""
    face = result_for(picture, model).faces[number - 1]
    return occlusion_map(classifier(model), face.crop, flip=picture.flip)


@kept_by(held_here)
def tour_of(picture: Picture, model: StoredModel, spec: ModelSpec) -> Tour:
    """Return every step from a picture to the probabilities of its largest face; errors as of `tour`."""
    return tour(classifier(model), spec, decoded(picture))
