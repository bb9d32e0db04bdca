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
    mean answer of all teachers, for the cost of one. A head that some teachers do not teach learns less often, from the
    others. The loss is the Kullback-Leibler divergence of the softened
    answers times the squared temperature, which keeps the gradients as large as at temperature 1.

    Args:
        teachers: networks from faces `(batch, side, side, 1)` to probabilities of as many heads as the student has.
            They are not trained. A head is not taught by a teacher that answers zero for it. Faces are resized for a
            teacher with another input size.
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
                `(batch, 7)` or of two heads `(batch, 14)`, labels first.
            training: whether to add the loss.
        """
        if training:
            taught = ops.stop_gradient(self._one_teacher(faces))
            heads = max(answers.shape[1] // NUM_CLASSES, 1)
            for wanted, said in zip(ops.split(taught, heads, axis=1), ops.split(answers, heads, axis=1), strict=True):
                divergence = keras.losses.kl_divergence(self._softened(wanted), self._softened(said))
                known = ops.cast(ops.any(wanted > 0, axis=1), "float32")
                self.add_loss(self.weight * self.temperature**2 * ops.mean(known * divergence))
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
