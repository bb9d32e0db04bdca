"""Knowledge distillation: learn the answers of teacher networks as well as the labels (Hinton et al. 2015)."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import ops

from fer_core.labels import NUM_CLASSES


class Distillation(keras.layers.Layer):
    """Return a student's answers unchanged, and add the distillation loss in training.

    The teachers get the same augmented faces as the student (Beyer et al. 2022), and also their mirror images, since
    the mean of both answers is more accurate. The mean answer of the teachers and the student's answer are softened
    by the temperature. The loss is the Kullback-Leibler divergence times the squared temperature, which keeps the
    gradients as large as at temperature 1.

    Args:
        teachers: networks from faces `(batch, side, side, 1)` to probabilities `(batch, 7)`; they are not trained.
            Faces are resized for a teacher with another input size.
        temperature: values above 1 give more weight to improbable classes.
        weight: of this loss; the loss of the labels has weight 1.
    """

    def __init__(self, teachers: Sequence[keras.Model], temperature: float, weight: float) -> None:
        super().__init__(dtype="float32", name="distillation")
        self.teachers = list(teachers)
        self.temperature, self.weight = temperature, weight
        self.trainable = False

    def call(self, faces: keras.KerasTensor, answers: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        """Return `answers`: probabilities of one head `(batch, 7)` or of two heads `(batch, 14)`."""
        if training:
            views = (faces, ops.flip(faces, axis=2))
            given = [
                ops.cast(teacher(_resized(view, teacher), training=False), "float32")
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
    """Return the answers of one head; for two heads, the softmax of the mean of their logits."""
    if answers.shape[1] != 2 * NUM_CLASSES:
        return answers
    logits = ops.log(answers + keras.config.epsilon())
    return ops.softmax((logits[:, :NUM_CLASSES] + logits[:, NUM_CLASSES:]) / 2)


def _resized(faces: keras.KerasTensor, teacher: keras.Model) -> keras.KerasTensor:
    size = teacher.input_shape[1:3]
    if None in size or size == tuple(faces.shape[1:3]):
        return faces
    return ops.image.resize(faces, size)
