"""Learning from other networks' answers as well as from labels: knowledge distillation (Hinton et al. 2015)."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import ops

from fer_core.labels import NUM_CLASSES


class Teaching(keras.layers.Layer):
    """Passes a network's answers on, and while it trains adds the loss of not answering as its teachers do.

    The teachers see the very faces that the network sees, augmentation included (Beyer et al. 2022), so that they say
    how certain one can be about each; labels cannot. They see each mirrored too, as with `flip` at test time, because
    the mean of both looks is the better answer. The teachers' mean and the network's answer are both softened by the
    temperature; the loss is the Kullback-Leibler divergence times the temperature's square, which keeps gradients as
    large as at temperature 1.

    Args:
        teachers: networks from faces `(batch, side, side, 1)` to probabilities `(batch, classes)`; they stay as they
            are. One that takes another size is given the faces resized.
        temperature: above 1 tells more about the improbable classes.
        weight: of this loss beside that of the labels, which counts 1.
    """

    def __init__(self, teachers: Sequence[keras.Model], temperature: float, weight: float) -> None:
        super().__init__(dtype="float32", name="teaching")
        self.teachers = list(teachers)
        self.temperature, self.weight = temperature, weight
        self.trainable = False

    def call(self, faces: keras.KerasTensor, answers: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        """Return `answers`, probabilities `(batch, classes)` for `faces`, unchanged."""
        if training:
            views = (faces, ops.flip(faces, axis=2))
            given = [
                ops.cast(teacher(_fitted(view, teacher), training=False), "float32")
                for teacher in self.teachers
                for view in views
            ]
            taught = self._softened(ops.stop_gradient(ops.mean(ops.stack(given), axis=0)))
            divergence = keras.losses.kl_divergence(taught, self._softened(_one_head(answers)))
            self.add_loss(self.weight * self.temperature**2 * ops.mean(divergence))
        return answers

    def _softened(self, probabilities: keras.KerasTensor) -> keras.KerasTensor:
        return ops.softmax(ops.log(probabilities + keras.config.epsilon()) / self.temperature)


def _one_head(answers: keras.KerasTensor) -> keras.KerasTensor:
    """Return the answers as they are; of two heads, the softmax of the mean of their logits."""
    if answers.shape[1] == NUM_CLASSES:
        return answers
    logits = ops.log(answers + keras.config.epsilon())
    return ops.softmax((logits[:, :NUM_CLASSES] + logits[:, NUM_CLASSES:]) / 2)


def _fitted(faces: keras.KerasTensor, teacher: keras.Model) -> keras.KerasTensor:
    size = teacher.input_shape[1:3]
    if None in size or size == tuple(faces.shape[1:3]):
        return faces
    return ops.image.resize(faces, size)
