"""What a model is, in one frozen record: enough to build it, feed it and say where its weights come from."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any


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
    """

    name: str
    title: str
    architecture: str
    input_size: int = 48
    widths: tuple[int, ...] = ()
    dropout: float = 0.0
    weights_from: str = "random"

    @property
    def ships_head_only(self) -> bool:
        """Whether the backbone is downloaded and stays as it is, so that only the head is ours to ship."""
        return self.weights_from == "imagenet"

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
