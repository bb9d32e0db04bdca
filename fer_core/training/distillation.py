"""Knowledge distillation: learn the answers of teacher networks as well as the labels (Hinton et al. 2015)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import keras
from keras import ops

from fer_core.labels import NUM_CLASSES


class Distillation(keras.layers.Layer):
    """Return a student's answers unchanged, and add the distillation loss in training.

    One teacher, drawn at random, answers for each batch. At temperature 1, the gradient is in expectation that of the
    mean answer of all teachers, for the cost of one. The loss is the Kullback-Leibler divergence of the softened
    answers times the squared temperature, which keeps the gradients as large as at temperature 1.

    Args:
        teachers: networks from faces `(batch, side, side, 1)` to probabilities `(batch, 7)`; they are not trained.
            Faces are resized for a teacher with another input size.
        temperature: values above 1 give more weight to improbable classes.
        weight: of this loss; the loss of the targets has weight 1.
        seed: of the draws.
    """

    def __init__(
        self, teachers: Sequence[keras.Model], temperature: float, weight: float, seed: int | None = None
    ) -> None:
        super().__init__(dtype="float32", name="distillation")
        self.teachers = list(teachers)
        self.temperature, self.weight = temperature, weight
        self.generator = keras.random.SeedGenerator(seed)
        self.trainable = False

    def call(self, faces: keras.KerasTensor, answers: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        """Return `answers`.

        Args:
            faces: what the teachers see, `(batch, height, width, 1)`.
            answers: of the student, which may see a degraded version of the faces; probabilities of one head
                `(batch, 7)` or of two heads `(batch, 14)`.
            training: whether to add the loss.
        """
        if training:
            taught = self._softened(ops.stop_gradient(self._one_teacher(faces)))
            divergence = keras.losses.kl_divergence(taught, self._softened(_one_head(answers)))
            self.add_loss(self.weight * self.temperature**2 * ops.mean(divergence))
        return answers

    def _one_teacher(self, faces: keras.KerasTensor) -> keras.KerasTensor:
        given: list[Callable[[keras.KerasTensor], keras.KerasTensor]] = [
            partial(_answer, teacher) for teacher in self.teachers
        ]
        if len(given) == 1:
            return given[0](faces)
        drawn = keras.random.randint((), 0, len(given), seed=self.generator)
        return ops.switch(drawn, given, faces)

    def _softened(self, probabilities: keras.KerasTensor) -> keras.KerasTensor:
        return ops.softmax(ops.log(probabilities + keras.config.epsilon()) / self.temperature)


def _answer(teacher: keras.Model, faces: keras.KerasTensor) -> keras.KerasTensor:
    size = teacher.input_shape[1:3]
    if None not in size and size != tuple(faces.shape[1:3]):
        faces = ops.image.resize(faces, size)
    return ops.cast(teacher(faces, training=False), "float32")


def _one_head(answers: keras.KerasTensor) -> keras.KerasTensor:
    """Return the answers of one head; for two heads, the softmax of the mean of their logits."""
    if answers.shape[1] != 2 * NUM_CLASSES:
        return answers
    logits = ops.log(answers + keras.config.epsilon())
    return ops.softmax((logits[:, :NUM_CLASSES] + logits[:, NUM_CLASSES:]) / 2)
