"""Predict the expressions of face crops with a model file. Thread-safe. `StoredModel.classifier` opens a model."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from fer_core.added import AddedRunner, Takes
from fer_core.data.images import resized
from fer_core.faces.preprocessing import DETECTING, crop_to_boxes, detect_boxes, maps_on_whole_faces, preprocess_faces
from fer_core.labels import EXPRESSIONS
from fer_core.threads import Pool
from fer_core.types import FerError

BATCH = 32  # faces per call of the interpreter; larger batches were not faster on two cores


@dataclass(frozen=True, eq=False)
class Prediction:
    """The predictions for `n` faces: probabilities, each row with the sum 1, and class activation maps.

    The mean of a map over rows and columns is the logit, except for models with the preprocessing `face`, whose maps
    cover only a part of the face.
    """

    probabilities: NDArray[np.float32]  # (n, classes), of the seven expressions unless the model has its own
    activation: NDArray[np.float32]  # (n, rows, columns, classes)


class Classifier:
    """Predict the expression probabilities of face crops with a model file.

    Args:
        content: of a `.tflite` file of this project; or of a file that was made elsewhere, with `takes`.
        threads: CPU threads of each interpreter. Interpreters are not thread-safe, so they are kept in a pool.
        preprocessing: of the faces, as in `fer_core.faces.preprocess_faces`.
        not_sure_below: the confidence below which the model is not sure, 0 to 1; 0 for none.
        classes: what the model tells apart, in the order of its outputs.
        takes: how a file that was made elsewhere takes pictures; None for a file of this project.

    Attributes:
        input_size: side of the square input in pixels.
        locates: whether its activation maps have more than one cell. VGG16's have only one for 48 pixels.

    Raises:
        FerError: the file is damaged, or another type of model.
    """

    def __init__(
        self,
        content: bytes,
        threads: int = 2,
        *,
        preprocessing: str = "none",
        not_sure_below: float = 0.0,
        classes: tuple[str, ...] = EXPRESSIONS,
        takes: Takes | None = None,
    ) -> None:
        self.not_sure_below, self.classes = not_sure_below, classes
        self._content, self._threads, self._preprocessing = content, threads, preprocessing
        self._pools: dict[int, Pool[_Runner | AddedRunner]] = {
            batch: Pool(partial(self._make, batch)) for batch in (1, BATCH)
        }
        if takes is not None:  # its runner takes batches of any size
            self._pools = dict.fromkeys(self._pools, Pool(partial(AddedRunner, content, threads, takes)))
        with self._pools[1].borrow() as runner:
            self.input_size, self._map_shape = runner.input_size, runner.map_shape
        self.locates = self._map_shape != (1, 1)

    def predict(self, faces: NDArray[np.uint8], flip: bool = False) -> Prediction:
        """Classify face crops.

        Args:
            faces: `(n, height, width)` uint8 gray crops, framed like FER2013's faces. They are resized if the model's
                input has another size. `n` may be 0.
            flip: average each face with its mirror image.

        Raises:
            ValueError: `faces` has another shape or type.
        """
        if faces.ndim != 3 or faces.dtype != np.uint8:
            raise ValueError(
                f"Expected uint8 gray faces of shape (n, height, width). Received: {faces.dtype} {faces.shape}"
            )
        plain, flipped = self.views(faces, flip)
        return flipped if flip else plain

    def views(self, faces: NDArray[np.uint8], flip: bool = True) -> tuple[Prediction, Prediction]:
        """Return the predictions without and with `flip`, in about the time of the latter.

        The faces are those of `predict`, but not checked. With `flip` False, the plain prediction is returned twice.
        """
        boxes = detect_boxes(faces, self._preprocessing) if self._preprocessing in DETECTING else None
        prepared = preprocess_faces(faces, self._preprocessing) if boxes is None else crop_to_boxes(faces, boxes)
        size = (self.input_size, self.input_size)
        if prepared.shape[1:] != size:
            prepared = np.array([resized(face, size) for face in prepared], np.uint8).reshape(-1, *size)
        inputs = prepared.astype(np.float32)[..., None]
        plain = flipped = self._run(inputs)
        if flip:
            mirrored = self._run(np.ascontiguousarray(inputs[:, :, ::-1]))
            flipped = Prediction(
                (plain.probabilities + mirrored.probabilities) * np.float32(0.5),
                (plain.activation + mirrored.activation[:, :, ::-1]) * np.float32(0.5),
            )
        if boxes is not None:
            plain, flipped = (
                Prediction(view.probabilities, maps_on_whole_faces(view.activation, boxes)) for view in (plain, flipped)
            )
        return plain, flipped

    def _run(self, inputs: NDArray[np.float32]) -> Prediction:
        probabilities = np.zeros((len(inputs), len(self.classes)), np.float32)
        activation = np.zeros((len(inputs), *self._map_shape, len(self.classes)), np.float32)
        start = 0
        while start < len(inputs):
            batch = BATCH if start + BATCH <= len(inputs) else 1  # the two batch sizes of the interpreters
            part = slice(start, start + batch)
            with self._pools[batch].borrow() as runner:
                probabilities[part], activation[part] = runner.run(inputs[part])
            start += batch
        return Prediction(probabilities, activation)

    def _make(self, batch: int) -> _Runner:
        try:
            return _Runner(self._content, batch, self._threads, len(self.classes))
        except (ValueError, RuntimeError, KeyError, IndexError, TypeError) as error:
            raise FerError(
                f"This is not a FER Lab model file; expected a LiteRT file with the outputs probabilities and "
                f"activation. Convert it again with `fer-lab train`. Received: {len(self._content):,} bytes"
            ) from error


class _Runner:
    """An interpreter with a fixed batch size."""

    def __init__(self, content: bytes, batch: int, threads: int, classes: int) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._interpreter = Interpreter(model_content=content, num_threads=threads)
        (face,) = self._interpreter.get_input_details()
        self._input, self.input_size = face["index"], int(face["shape"][1])
        self._interpreter.resize_tensor_input(self._input, (batch, self.input_size, self.input_size, 1))
        self._interpreter.allocate_tensors()
        outputs = {len(detail["shape"]): detail for detail in self._interpreter.get_output_details()}
        self._probabilities, self._activation = outputs[2]["index"], outputs[4]["index"]
        if {int(outputs[2]["shape"][1]), int(outputs[4]["shape"][3])} != {classes}:
            raise ValueError("another number of classes")
        self.map_shape = (int(outputs[4]["shape"][1]), int(outputs[4]["shape"][2]))

    def run(self, inputs: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        self._interpreter.set_tensor(self._input, inputs)
        self._interpreter.invoke()
        return self._interpreter.get_tensor(self._probabilities), self._interpreter.get_tensor(self._activation)
