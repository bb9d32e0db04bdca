"""`predict`: expressions of all faces in picture files."""

from __future__ import annotations

import csv
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from fer_core.cli.inputs import picture_files
from fer_core.cli.output import AsJson, complain, escaped, fails_clearly, print_json, progress_bar, stdout
from fer_core.data import read_image
from fer_core.inference import Classifier, FaceAnalyzer
from fer_core.labels import EXPRESSIONS
from fer_core.store import DEFAULT_MODEL, load_model
from fer_core.threads import default_workers, in_parallel
from fer_core.types import FaceResult, FerError


@dataclass
class Answer:
    """What became of one file: its faces, or the sentence that says what is wrong with it."""

    file: Path
    faces: list[FaceResult] = field(default_factory=list)
    error: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the stable JSON form."""
        return {"file": str(self.file), "error": self.error, "faces": [face.as_dict() for face in self.faces]}


@fails_clearly
def predict(
    inputs: Annotated[list[str], typer.Argument(help="Pictures, folders or globs.", metavar="PICTURE…")],
    model: Annotated[str, typer.Option(help="Which trained model.")] = DEFAULT_MODEL,
    whole_image: Annotated[bool, typer.Option(help="The pictures are face crops already.")] = False,
    flip: Annotated[bool, typer.Option(help="Average each face with its mirror image.")] = False,
    annotate: Annotated[Path | None, typer.Option(help="Write pictures with boxes and words here.")] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Pictures to work on at once; by default one a CPU core.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, one row a face.")] = False,
    as_json: AsJson = False,
) -> None:
    """Predict the expression of every face in pictures.

    Exits with 1 if any file failed; the others are done all the same.
    """
    if as_csv and as_json:
        raise FerError("Choose one of --csv and --json.")
    files = picture_files(inputs)
    workers = min(workers or default_workers(), len(files)) or 1
    threads = 1 if workers > 1 else 2  # several pictures at once keep all cores busy
    analyzer = FaceAnalyzer(Classifier.of(load_model(model), threads), flip=flip)
    if analyzer.detector.note and not whole_image:
        complain(analyzer.detector.note)
    targets = _targets(annotate, files) if annotate else [None] * len(files)
    with progress_bar() as bar:
        found = in_parallel(
            lambda entry: _answer(entry[0], analyzer, whole_image, entry[1]), zip(files, targets, strict=True), workers
        )
        answers = list(bar.track(found, total=len(files), description="Predicting"))
    if as_json:
        print_json([answer.as_dict() for answer in answers])
    elif as_csv:
        _print_csv(answers)
    else:
        stdout.print(_table(answers))
    failed = [answer for answer in answers if answer.error]
    for answer in failed:
        complain(f"{answer.file}: {answer.error}")
    if failed:
        raise typer.Exit(1)


def _answer(file: Path, analyzer: FaceAnalyzer, whole_image: bool, target: Path | None) -> Answer:
    try:
        image = read_image(file)
        faces = analyzer.analyze(image, whole_image=whole_image)
        if target:
            _write_annotated(target, image, faces)
    except FerError as error:
        return Answer(file, error=str(error))
    return Answer(file, faces)


def _targets(folder: Path, files: list[Path]) -> list[Path]:
    """Name annotated pictures after their sources, numbered where several share a name."""
    stems = Counter(file.stem for file in files)
    numbers = (f"-{k}" if stems[file.stem] > 1 else "" for k, file in enumerate(files, 1))
    return [folder / f"{file.stem}{number}-annotated.png" for file, number in zip(files, numbers, strict=True)]


def _write_annotated(target: Path, image: Any, faces: list[FaceResult]) -> None:
    from PIL import Image

    from fer_core.faces import draw_faces

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw_faces(image, faces)).save(target)
    except OSError as error:
        raise FerError(f"The annotated picture cannot be written to {target}: {error.strerror or error}.") from error


def _print_csv(answers: list[Answer]) -> None:
    writer = csv.writer(sys.stdout)
    writer.writerow(["file", "error", "face", "x", "y", "width", "height", "expression", *EXPRESSIONS])
    for answer in answers:
        if answer.error:
            writer.writerow([answer.file, answer.error])
        for number, face in enumerate(answer.faces, 1):
            row = face.as_dict()
            writer.writerow([answer.file, "", number, *row["box"], row["expression"], *row["probabilities"].values()])


def _table(answers: list[Answer]) -> Table:
    table = Table("File", "Face", "Expression", "Probability", "Runner-up")
    for answer in answers:
        if answer.error:
            table.add_row(escaped(str(answer.file)), "–", "[red]failed[/]", "", "")
        elif not answer.faces:
            table.add_row(escaped(str(answer.file)), "–", "no face found", "", "")
        for number, face in enumerate(answer.faces, 1):
            second = int(face.probabilities.argsort()[-2])
            table.add_row(
                escaped(str(answer.file)),
                str(number),
                face.expression,
                f"{face.confidence:.0%}",
                f"{EXPRESSIONS[second]} {face.probabilities[second]:.0%}",
            )
    return table
