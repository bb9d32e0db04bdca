"""Model files that were made elsewhere, ONNX or LiteRT: one picture in, the expressions out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fer_core.extras import extras
from fer_core.labels import EXPRESSIONS, expression_index
from fer_core.types import FerError, reason

SCALES: Final[dict[str, tuple[Sequence[float], Sequence[float]]]] = {
    "0-1": ((0, 0, 0), (255, 255, 255)),
    "-1-1": ((127.5, 127.5, 127.5), (127.5, 127.5, 127.5)),
    "0-255": ((0, 0, 0), (1, 1, 1)),
    "imagenet": ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
    "caffe": ((123.68, 116.779, 103.939), (1, 1, 1)),
    "each": ((), ()),
}
"""What is subtracted from the gray levels 0 to 255, and by what they are then divided, for red, green and blue. `each`:
the mean and standard deviation of each picture."""

COLOURS: Final = ("gray", "rgb", "bgr")

_TYPES: Final = {"float": np.float32, "double": np.float64, "float16": np.float16, "uint8": np.uint8}
_AT_ONCE: Final = 32  # pictures


@dataclass(frozen=True)
class Takes:
    """How a model file takes a picture, and what its numbers mean.

    Attributes:
        size: side of its square picture in pixels.
        colour: one of `COLOURS`. A model for colour pictures gets the gray level as red, green and blue.
        scale: one of `SCALES`.
        classes: names of its outputs in their order. Those that are none of the seven are left out, and the
            probabilities of the seven are scaled to the sum 1.
        logits: whether its outputs go through the softmax to become probabilities.

    Raises:
        FerError: on creation, if a value cannot be used.
    """

    size: int
    colour: str
    scale: str
    classes: tuple[str, ...] = EXPRESSIONS
    logits: bool = False

    def __post_init__(self) -> None:
        if self.scale not in SCALES or self.colour not in COLOURS or not 0 < self.size <= 2048:
            raise FerError(
                f"Expected a scale of {', '.join(SCALES)}, a colour of {', '.join(COLOURS)}, and a size of 1 to 2048 "
                f"pixels. Received: {self.scale}, {self.colour}, {self.size}"
            )
        _ = self.columns  # a FerError if there are not all seven

    @cached_property
    def columns(self) -> tuple[int, ...]:
        """Positions of the seven expressions in the outputs."""
        return columns_of(self.classes)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Takes:
        """Build it from the JSON types of a model card; a `FerError` if they cannot be used."""
        try:
            return cls(**{**values, "classes": tuple(values["classes"])})
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise FerError(f"The card of this model does not say how its file takes pictures ({error}).") from error


def columns_of(classes: Sequence[str]) -> tuple[int, ...]:
    """Return the position of each of the seven expressions among the names of a model's outputs."""
    found: dict[int, int] = {}
    for position, name in enumerate(classes):
        try:
            index = expression_index(name)
        except ValueError:  # another class, such as contempt
            continue
        if index in found:
            raise FerError(f"Expected each expression once among the classes. Received twice: {name}")
        found[index] = position
    if missing := [name for index, name in enumerate(EXPRESSIONS) if index not in found]:
        raise FerError(f"Expected all seven expressions among the classes. Missing: {', '.join(missing)}")
    return tuple(found[index] for index in range(len(EXPRESSIONS)))


def probabilities(outputs: NDArray[np.float64], columns: Sequence[int], *, logits: bool) -> NDArray[np.float32]:
    """Return `(n, 7)` probabilities in the order of `labels.EXPRESSIONS` from a model's outputs `(n, classes)`."""
    chosen = outputs[:, list(columns)]
    if logits:
        chosen = np.exp(chosen - chosen.max(axis=1, keepdims=True))
    chosen = np.clip(chosen, 0, None) + 1e-12  # a model may give everything to a class that is left out
    return (chosen / chosen.sum(axis=1, keepdims=True)).astype(np.float32)


def are_probabilities(outputs: NDArray[np.float64]) -> bool:
    """Return whether outputs `(n, classes)` are probabilities already, and not logits."""
    return bool(outputs.min() >= -1e-6 and np.abs(outputs.sum(axis=1) - 1).max() < 1e-2)


def is_litert(content: bytes) -> bool:
    """Return whether the content of a file is LiteRT's (`.tflite`); it is taken for ONNX otherwise."""
    return content[4:8] == b"TFL3"


class ModelFile:
    """An open ONNX or LiteRT file. Only one thread may use it at a time.

    ONNX runs by ONNX Runtime. Operators that are none of its own, and files of weights beside the ONNX file, are
    refused, so that nothing but arithmetic is run.

    Attributes:
        side: of its picture in pixels; None if the file leaves it open.
        colour: whether its picture has three channels; else it has one.

    Raises:
        FerError: the file cannot be opened, or does not take one square picture.
    """

    def __init__(self, content: bytes, threads: int = 2) -> None:
        try:
            self._run, shape, self._type = (_litert if is_litert(content) else _onnx)(content, threads)
        except FerError:
            raise
        except Exception as error:  # the runtimes raise many types
            raise FerError(
                f"The file cannot be opened as a model. Expected ONNX (.onnx) or LiteRT (.tflite) with operators of "
                f"its runtime, in one file. Received: {len(content):,} bytes ({reason(error)[:200]})"
            ) from error
        batch, *places = shape if len(shape) == 4 else (0, 0, 0, 0)
        self._first = places[0] in {1, 3}  # whether the channels come before the rows
        channels, *sides = places if self._first else [places[2], *places[:2]]
        if batch not in {None, 1} or channels not in {1, 3} or sides[0] != sides[1] or self._type is None:
            raise FerError(
                "Expected a model with one input, of one gray or colour picture or a batch of any size: (batch, "
                f"channels, side, side) or (batch, side, side, channels) of floats or uint8. Received: {shape}"
            )
        self.side, self.colour, self._batch = sides[0], channels == 3, batch or _AT_ONCE

    def outputs(
        self, faces: NDArray[np.float32], *, colour: str, scale: str, classes: int = len(EXPRESSIONS)
    ) -> NDArray[np.float64]:
        """Return the outputs `(n, classes)` for faces `(n, side, side)` of gray levels, in `colour` and `scale`."""
        batches = (faces[start : start + self._batch] for start in range(0, len(faces), self._batch))
        parts = [self._part(batch, colour, scale, classes) for batch in batches]
        return np.concatenate(parts) if parts else np.zeros((0, classes))

    def _part(self, faces: NDArray[np.float32], colour: str, scale: str, classes: int) -> NDArray[np.float64]:
        pictures = scaled(faces, colour, scale)
        if self._first:
            pictures = pictures.transpose(0, 3, 1, 2)
        try:
            outputs = self._run(np.ascontiguousarray(pictures, dtype=self._type))
        except Exception as error:  # the runtimes raise many types
            raise FerError(f"The model cannot be run on a picture ({reason(error)[:200]}).") from error
        fitting = [output for output in outputs if output.shape[:1] == faces.shape[:1]]
        fitting = [output for output in fitting if output.size == len(faces) * classes]
        if not fitting:
            shapes = " and ".join(str(output.shape) for output in outputs)
            raise FerError(
                f"Expected {classes} numbers for each picture. Received: {shapes} for {len(faces)}. If the model has "
                "more classes than the seven expressions, name all of them in their order with --classes."
            )
        numbers = fitting[0].reshape(len(faces), classes).astype(np.float64)
        if not np.isfinite(numbers).all():
            raise FerError("The model answers with numbers that are not finite.")
        return numbers


class AddedRunner:
    """Run a model file for `Classifier`, which keeps a pool of these."""

    map_shape = (1, 1)

    def __init__(self, content: bytes, threads: int, takes: Takes) -> None:
        self._file, self._takes, self.input_size = ModelFile(content, threads), takes, takes.size

    def run(self, inputs: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return probabilities `(n, 7)` and their logarithms as maps `(n, 1, 1, 7)` for faces `(n, side, side, 1)`."""
        takes = self._takes
        outputs = self._file.outputs(inputs[..., 0], colour=takes.colour, scale=takes.scale, classes=len(takes.classes))
        answers = probabilities(outputs, takes.columns, logits=takes.logits)
        return answers, np.log(answers)[:, None, None]


def scaled(faces: NDArray[np.float32], colour: str, scale: str) -> NDArray[np.float32]:
    """Return gray levels `(n, rows, columns)` as a model takes them, `(n, rows, columns, 1 or 3)`."""
    pictures = faces[..., None]
    if scale == "each":
        means, deviations = (of(pictures, axis=(1, 2, 3), keepdims=True) for of in (np.mean, np.std))
        channels = np.ones(1 if colour == "gray" else 3, np.float32)
        return (pictures - means) / np.maximum(deviations, 1e-6) * channels
    mean, deviation = (np.array(values, np.float32) for values in SCALES[scale])
    if colour == "gray":
        mean, deviation = mean.mean(keepdims=True), deviation.mean(keepdims=True)
    order = slice(None, None, -1 if colour == "bgr" else 1)
    return (pictures - mean[order]) / deviation[order]


_Opened = tuple[Callable[[NDArray], list[NDArray]], Sequence[int | None], Any]
"""A function from a batch to the outputs, the shape of the input (None: any), and its type (None: one that is not
supported)."""


def _onnx(content: bytes, threads: int) -> _Opened:
    with extras():
        import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, 4
    # a place where no file of weights can be: inside this file
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", __file__)
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    (picture,) = session.get_inputs()
    shape = [side if isinstance(side, int) else None for side in picture.shape]
    kind = _TYPES.get(picture.type.removeprefix("tensor(").removesuffix(")"))
    return lambda batch: session.run(None, {picture.name: batch}), shape, kind


def _litert(content: bytes, threads: int) -> _Opened:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content, num_threads=threads)
    interpreter.allocate_tensors()  # fails for operators that are not LiteRT's
    (picture,) = interpreter.get_input_details()
    current = list(picture["shape"])

    def run(batch: NDArray) -> list[NDArray]:
        if current != list(batch.shape):
            interpreter.resize_tensor_input(picture["index"], batch.shape)
            interpreter.allocate_tensors()
            current[:] = batch.shape
        interpreter.set_tensor(picture["index"], batch)
        interpreter.invoke()
        return [interpreter.get_tensor(output["index"]) for output in interpreter.get_output_details()]

    shape = [None if side < 0 else int(side) for side in picture["shape_signature"]]
    return run, shape, picture["dtype"] if picture["dtype"] in _TYPES.values() else None
