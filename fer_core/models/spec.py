"""What a model is, in one frozen record: enough to build it, feed it and say where its weights come from."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from fer_core.types import FerError

ALL_LAYERS: Final = -1
"""Value of `ModelSpec.open_layers` that lets the whole backbone train."""

PREPROCESSINGS: Final = ("none", "face", "equalize", "clahe")
"""What may be done to a gray face before the network sees it; `fer_core.faces.preprocess_faces` does it."""


WEIGHTS: Final = {"imagenet": "ImageNet", "utkface": "UTKFace", "random": "random weights"}
"""Where weights may start, as people write it."""

ENDINGS: Final = {"utkface": "utk"}
"""What stands for such weights in a model's name, where that is shorter."""


@dataclass(frozen=True)
class ModelSpec:
    """A named model: a network, or a baseline without one.

    Attributes:
        name: the registry's and the folder's name, as `compact_cnn`.
        title: the name that people read.
        architecture: key of the builder in `fer_core.models.registry`, or of the baseline in `fer_core.training`.
        input_size: side in pixels of the square gray face that the network takes when it serves.
        widths: channels of the network's stages (`compact_cnn` only).
        dropout: rate before the head while training.
        weights_from: where the weights start: `random`, `imagenet`, `utkface` or a stored model's name; `none` for a
            baseline, which starts from nothing.
        backbone: its name in `keras.applications`, as `VGG16` (`transfer` only, as all below but preprocessing).
        backbone_size: side in pixels to which the backbone's input is enlarged.
        open_layers: how many of the backbone's last layers train; 0 none, `ALL_LAYERS` all.
        batch_normalization: normalise the pooled features before the head.
        noise: standard deviation of the Gaussian noise on the input while training, as a share of the gray range.
        preprocessing: one of `PREPROCESSINGS`, done to every face in training, measuring and serving alike.

    Raises:
        FerError: on creation, if a value is none of these.
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
    open_layers: int = 0
    batch_normalization: bool = False
    noise: float = 0.0
    preprocessing: str = "none"

    def __post_init__(self) -> None:
        if self.preprocessing not in PREPROCESSINGS:
            raise FerError(
                f"Unknown preprocessing. Expected one of: {', '.join(PREPROCESSINGS)}. Received: {self.preprocessing}"
            )
        if self.open_layers < ALL_LAYERS or not 0 <= self.dropout < 1 or not 0 <= self.noise <= 1:
            raise FerError(
                f"Expected open layers from 0 on (or {ALL_LAYERS} for all), a dropout from 0 to below 1 and noise "
                f"from 0 to 1. Received: {self.open_layers}, {self.dropout}, {self.noise}"
            )

    @property
    def frozen(self) -> bool:
        """Whether the backbone's output never changes in training, so that its features can be kept."""
        return self.architecture == "transfer" and self.open_layers == 0 and self.noise == 0

    @property
    def trained(self) -> str:
        """Which part training changes, in words."""
        if self.weights_from == "none":
            return "no network"
        if self.architecture != "transfer":
            return "every layer"
        if self.open_layers == 0:
            return "head only"
        return "every layer" if self.open_layers == ALL_LAYERS else f"head and last {self.open_layers} layers"

    def with_weights(self, source: str) -> ModelSpec:
        """Return the same model started from other weights, under a name and title that say so.

        The features of backbones pretrained here differ in size by orders of magnitude. Where they start, the head
        therefore normalises them; a linear head can say no more for it, it only learns it many times sooner.

        Raises:
            FerError: the source is one of backbones and the model has none, or its name tells other weights already.
        """
        if source == self.weights_from:
            return self
        if source in {"imagenet", "utkface"} and not self.backbone:
            raise FerError(f"Only models with a backbone can start from {source}. Received: {self.name}")
        ending = f"_{ENDINGS.get(self.weights_from, self.weights_from)}"
        if self.backbone and self.name.endswith(ending):
            raise FerError(
                f"{self.name} names the weights that it starts from. To start from {source}, name the model "
                f"{self.name.removesuffix(ending)}."
            )
        return replace(
            self,
            name=f"{self.name}_{ENDINGS.get(source, source)}",
            title=f"{self.title} ({WEIGHTS.get(source, source)})",
            weights_from=source,
            batch_normalization=self.batch_normalization or (source == "utkface" and bool(self.backbone)),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON types, for cards and run folders."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ModelSpec:
        """Build from `as_dict`'s result.

        Raises:
            TypeError: a key is unknown or missing.
        """
        return replace(cls(**values), widths=tuple(values.get("widths", ())))
