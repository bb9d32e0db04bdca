"""What pages share: models kept loaded, pictures analysed once, words fit for Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st

from fer_core.data import read_image, sample_portrait
from fer_core.faces import default_detector
from fer_core.inference import Classifier, FaceAnalyzer
from fer_core.store import DEFAULT_MODEL, StoredModel, list_models
from fer_core.types import FaceResult, FerError, Image


@dataclass(frozen=True)
class Picture:
    """One picture that somebody handed in; `file` is None for the built-in sample.

    Attributes:
        name: its file name.
        key: stands for its content in the caches.
        file: what holds its content, read only when needed.
    """

    name: str
    key: str
    file: Any = field(default=None, repr=False, compare=False)


SAMPLE = Picture("astronaut.png", "sample")

MINE: dict[str, Any] = {"scope": "session", "hash_funcs": {Picture: lambda picture: picture.key}}
"""How what is made of a picture is cached: by the picture's key, and gone with its session."""


@dataclass(frozen=True)
class Answer:
    """What one model says of one picture: its faces, or the sentence that says what is wrong with the file."""

    file: str
    model: str
    faces: tuple[FaceResult, ...] = ()
    error: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the same keys as `python -m fer_core predict --json`, and which model it was."""
        faces = [face.as_dict() for face in self.faces]
        return {"file": self.file, "error": self.error, "faces": faces, "model": self.model}


@dataclass(frozen=True)
class How:
    """How pictures are to be read: by which model, mirrored too, as face crops already."""

    model: str
    weights: str
    stamp: int
    flip: bool = False
    whole_image: bool = False
    preprocessing: str = "none"

    @staticmethod
    def by(model: StoredModel, flip: bool = False, whole_image: bool = False) -> How:
        """Name a stored model as its file is now, so that a newly trained one is not taken for the old."""
        stamp = model.weights.stat().st_mtime_ns
        return How(model.name, str(model.weights), stamp, flip, whole_image, model.card.preprocessing)

    def analyzer(self) -> FaceAnalyzer:
        """Return the analyser of photos."""
        return FaceAnalyzer(self.classifier(), default_detector(), flip=self.flip)

    def classifier(self) -> Classifier:
        """Return the model, loaded once for all sessions."""
        return _classifier(self.weights, self.stamp, self.preprocessing)


@st.cache_resource(max_entries=12, show_spinner=False)
def _classifier(path: str, stamp: int, preprocessing: str) -> Classifier:  # noqa: ARG001 (newer file, other model)
    return Classifier(Path(path), preprocessing=preprocessing)


def decoded(picture: Picture) -> Image:
    """Return a picture as RGB."""
    return sample_portrait() if picture.file is None else read_image(picture.file.getvalue(), picture.name)


@st.cache_resource(max_entries=3, show_spinner=False, **MINE)
def pixels(picture: Picture) -> Image:
    """Return a picture as RGB. The last few stay decoded in their session; do not write into them."""
    return decoded(picture)


def look(picture: Picture, how: How, read: Callable[[Picture], Image] = decoded) -> Answer:
    """Return what a model says of a picture, worked out anew."""
    try:
        faces = how.analyzer().analyze(read(picture), whole_image=how.whole_image)
    except FerError as error:
        return Answer(picture.name, how.model, error=str(error))
    return Answer(picture.name, how.model, tuple(faces))


def answer(picture: Picture, how: How) -> Answer:
    """Return what a model says of a picture; each pair is worked out once a session."""
    return _answer(picture, how, default_detector().note)


@st.cache_data(max_entries=1000, show_spinner=False, **MINE)
def _answer(picture: Picture, how: How, detector_note: str | None) -> Answer:  # noqa: ARG001 (another detector)
    return look(picture, how, pixels)


def answers_for(pictures: list[Picture], hows: list[How]) -> dict[How, list[Answer]]:
    """Return each model's answers to all pictures, with a progress bar while several are new."""
    total = len(pictures) * len(hows)
    bar = st.progress(0.0) if len(pictures) > 3 else None
    answers: dict[How, list[Answer]] = {how: [] for how in hows}
    with st.spinner("Looking for faces"):
        for done, (picture, how) in enumerate(((p, h) for p in pictures for h in hows), 1):
            answers[how].append(answer(picture, how))
            if bar:
                bar.progress(done / total, f"{done} of {total}")
    if bar:
        bar.empty()
    return answers


def ready(models: list[StoredModel], flip: bool = False, whole_image: bool = False) -> tuple[dict[How, str], list[str]]:
    """Load models, which is quick unless one has to be put together with its backbone first.

    Returns:
        Each model that serves to its title, and one sentence for each that does not.
    """
    good: dict[How, str] = {}
    complaints: list[str] = []
    for model in models:
        try:
            with st.spinner(f"Preparing {plain(model.title)}"):
                how = How.by(model, flip, whole_image)
                how.analyzer()
            good[how] = model.title
        except (FerError, OSError) as error:
            complaints.append(str(error))
    return good, complaints


def serving_models() -> list[StoredModel]:
    """Return the models that can predict new faces, and say which are broken; without any, say so and end the page."""
    models, complaints = list_models(servable=True)
    warn(complaints, "Some models cannot be used:")
    if not models:
        no_model_yet()
        st.stop()
    return models


def no_model_yet() -> None:
    """Say that no model is trained, and how to get one."""
    st.info(
        f"There is no trained model yet. Train one with `python -m fer_core train {DEFAULT_MODEL}`, then reload "
        "this page.",
        icon=":material/model_training:",
    )


def warn(sentences: list[str], title: str) -> None:
    """Show what is wrong, one sentence a line, in one box."""
    if len(sentences) == 1:
        st.warning(plain(sentences[0]), icon=":material/warning:")
    elif sentences:
        lines = "\n".join(f"- {plain(sentence)}" for sentence in sentences)
        st.warning(f"{title}\n\n{lines}", icon=":material/warning:")


def note_untested(models: list[StoredModel]) -> None:
    """Say which models have no score, and why that is no fault."""
    titles = [model.title for model in models if not model.card.tested]
    if titles:
        st.caption(
            f"Without a score: {plain(', '.join(titles))}. FER2013's test faces were not at hand when "
            f"{'it was' if len(titles) == 1 else 'they were'} trained."
        )


def plain(text: str) -> str:
    """Return text that Markdown shows as it is, whatever a file's name holds."""
    return re.sub(r"([\\`*_{}\[\]()#+!|~$:<>&-])", r"\\\1", text)
