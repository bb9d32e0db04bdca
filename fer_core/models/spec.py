"""The description of a model: enough to build it, to preprocess its input and to say where its weights come from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from fer_core.labels import EXPRESSIONS, checked_classes
from fer_core.types import FerError

ALL_LAYERS: Final = -1
"""Value of `ModelSpec.open_layers` for training the whole backbone."""

PREPROCESSINGS: Final = ("none", "face", "aligned", "equalize", "clahe")
"""Names of preprocessing for gray faces, see `fer_core.faces.preprocess_faces`."""

BATCH_NORMS: Final = ("none", "after pooling", "before noise", "after noise")
"""Where a batch norm stands: nowhere, on the pooled features, or before the backbone, where it is followed by the noise
("batch normalization first, followed by Gaussian noise", as the paper's abstract has it) or follows it."""

WEIGHTS: Final = {
    "imagenet": "ImageNet",
    "vggface2": "VGGFace2",
    "faces": "faces",
    "utkface": "UTKFace",
    "random": "random weights",
}
"""Initial weights, with their titles."""

PRETRAINED: Final = {
    "faces": "on faces of FER2013 and UTKFace, to say of them what a network from VGGFace2 does",
    "utkface": "on ages and genders of UTKFace",
}
"""Those of `WEIGHTS` that `fer-lab pretrain` makes, best first: on what, and what for."""

_ENDINGS: Final = {"utkface": "utk"}
"""Short forms of initial weights in a model's name."""


def pretrained_note(sources: Iterable[str], scores: bool = True) -> str:
    """Return what to know about models that start from `PRETRAINED` weights; empty if none does.

    Args:
        sources: the initial weights of the models that are shown, each as `ModelSpec.weights_from`.
        scores: whether the models are shown with scores, which differ from the paper's for this reason.
    """
    shown = PRETRAINED.keys() & set(sources)
    if not shown:
        return ""
    marked = [f"Models marked ({WEIGHTS[name]}) start from weights trained here {PRETRAINED[name]}." for name in shown]
    note = " ".join([*sorted(marked), "UTKFace is for non-commercial research."])
    return f"{note} The paper started from ImageNet, so these do not repeat its scores." if scores else note


@dataclass(frozen=True)
class ModelSpec:
    """A named model: a network, or a baseline without one.

    Attributes:
        name: of the model and of its folder, for example `compact_cnn`.
        title: the name that people read.
        architecture: `compact_cnn`, `transfer`, `ensemble`, or the name of a baseline.
        input_size: side in pixels of the square gray face at inference.
        widths: channels of the network's stages (`compact_cnn` only).
        dropout: rate before the head in training.
        weights_from: initial weights: one of `WEIGHTS` or a stored model's name; `none` for a baseline or an ensemble.
        backbone: its name in `keras.applications`, for example `VGG16` (this and the next six: `transfer` only).
        backbone_size: side in pixels to which the backbone's input is enlarged.
        cut_after: name of the backbone's layer whose output is its features; empty for the last one.
        open_layers: number of the backbone's last layers with weights that are trained; batch norm layers do not count.
            0 for none, `ALL_LAYERS` for all.
        open_normalization: train the batch norm layers after the first open one as well; they are if all are open.
        batch_normalization: one of `BATCH_NORMS`.
        noise: standard deviation of Gaussian noise on the input in training, as a share of the gray range.
        preprocessing: one of `PREPROCESSINGS`, applied to every face in training, measuring and serving.
        classes: what it tells apart, in the order of its outputs: by default the seven expressions.

    Raises:
        FerError: on creation, if a value cannot be used.
    """

    name: str
    title: str
    architecture: str
    input_size: int = 48
    widths: tuple[int, ...] = ()
    dropout: float = 0.0
    weights_from: str = "random"
    backbone: str = ""
    backbone_size: int = 0
    cut_after: str = ""
    open_layers: int = 0
    open_normalization: bool = False
    batch_normalization: str = "none"
    noise: float = 0.0
    preprocessing: str = "none"
    classes: tuple[str, ...] = EXPRESSIONS

    def __post_init__(self) -> None:
        try:
            checked_classes(self.classes)
        except ValueError as error:
            raise FerError(str(error)) from error
        if self.preprocessing not in PREPROCESSINGS:
            raise FerError(
                f"Unknown preprocessing. Expected one of: {', '.join(PREPROCESSINGS)}. Received: {self.preprocessing}"
            )
        if self.batch_normalization not in BATCH_NORMS:
            raise FerError(
                f"Unknown place of the batch norm. Expected one of: {', '.join(BATCH_NORMS)}. Received: "
                f"{self.batch_normalization}"
            )
        if self.open_layers < ALL_LAYERS or not 0 <= self.dropout < 1 or not 0 <= self.noise <= 1:
            raise FerError(
                f"Expected open layers from 0 on (or {ALL_LAYERS} for all), a dropout from 0 to below 1 and noise "
                f"from 0 to 1. Received: {self.open_layers}, {self.dropout}, {self.noise}"
            )

    @property
    def frozen(self) -> bool:
        """Whether the backbone's output does not change in training, so that its features can be cached."""
        changes = self.open_layers or self.noise or self.normalizes_input
        return self.architecture == "transfer" and not changes

    @property
    def normalizes_input(self) -> bool:
        """Whether a batch norm stands before the backbone."""
        return self.batch_normalization in {"before noise", "after noise"}

    @property
    def trained(self) -> str:
        """Which part is trained, in words."""
        if self.weights_from == "none":
            return "no network"
        if self.architecture != "transfer" or self.open_layers == ALL_LAYERS:
            return "every layer"
        return f"head and last {self.open_layers} layers with weights" if self.open_layers else "head only"

    @property
    def weights_ending(self) -> str:
        """What `with_weights` appends to a name for the weights that the model starts from."""
        return _ENDINGS.get(self.weights_from, self.weights_from)

    def with_weights(self, source: str) -> ModelSpec:
        """Return the same model with other initial weights, which its name and title include.

        Raises:
            FerError: the source needs a backbone and the model has none, the name includes other weights already, the
                model is one that was trained further, or it is no network.
        """
        if source == self.weights_from:
            return self
        if self.weights_from == "none":
            raise FerError(f"{self.name} is no network, so it starts from no weights. Received: {source}")
        if self.weights_from not in WEIGHTS:
            raise FerError(
                f"{self.name} is {self.weights_from}, trained further. From other weights it would be another model. "
                f"Received: {source}"
            )
        if source in WEIGHTS and source != "random" and not self.backbone:
            raise FerError(f"Only models with a backbone can start from {source}. Received: {self.name}")
        ending = f"_{self.weights_ending}"
        if self.backbone and self.name.endswith(ending):
            raise FerError(
                f"{self.name} includes the weights that it starts from. To start from {source}, use the model "
                f"{self.name.removesuffix(ending)}."
            )
        return replace(
            self,
            name=f"{self.name}_{_ENDINGS.get(source, source)}",
            title=f"{self.title} ({WEIGHTS.get(source, source)})",
            weights_from=source,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON types, for cards and run folders; `classes` only where they are not the seven."""
        values = asdict(self)
        if self.classes == EXPRESSIONS:
            del values["classes"]
        return values

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ModelSpec:
        """Build a spec from the result of `as_dict`; raise a TypeError if a key is unknown or missing."""
        if isinstance(norm := values.get("batch_normalization"), bool):  # cards of earlier versions
            values = {**values, "batch_normalization": "after pooling" if norm else "none"}
        spec = cls(**values)
        return replace(spec, widths=tuple(spec.widths), classes=tuple(spec.classes))
