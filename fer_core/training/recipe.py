"""How a model is fitted: one dataclass with the reason beside each value."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from fer_core.training.augmentation import Augmentation


@dataclass(frozen=True)
class Recipe:
    """Everything that `fit` needs besides the model and the data.

    Attributes:
        epochs: passes over the training part; the schedule ends exactly there, so nothing is stopped early.
        batch_size: faces a step.
        peak_learning_rate: reached after `warmup`, then down to zero along a half cosine (one cycle).
        warmup: share of all steps with a linearly rising rate.
        momentum: of Nesterov's SGD.
        weight_decay: on kernels only, decoupled, times the learning rate.
        label_smoothing: share of a label spread over all seven: FER2013's labels are wrong about one time in ten
            (Barsoum et al. 2016).
        ema: momentum of the average of weights that is kept as the result.
        seed: of initial weights, order and augmentation.
        mixed_precision: compute in bfloat16, keep weights in float32.
        augmentation: how the faces vary.
    """

    epochs: int
    batch_size: int = 128
    peak_learning_rate: float = 0.1
    warmup: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4
    label_smoothing: float = 0.1
    ema: float = 0.998
    seed: int = 0
    mixed_precision: bool = True
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 1:
            raise ValueError(
                f"Expected at least one epoch and one face a batch. Received: epochs={self.epochs}, "
                f"batch_size={self.batch_size}"
            )

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON types, for cards and run folders."""
        return asdict(self)
