"""`predict`: predict the expressions of all faces in picture files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from fer_core.archives import Job
from fer_core.archives.storage import local_files
from fer_core.cli.archive import Address, EngineKind, EngineName, Out, analyze_archive, require_out
from fer_core.cli.output import (
    AsJson,
    escaped,
    fails_clearly,
    fitted_table,
    print_json,
    progress_bar,
    short_path,
    stdout,
    warn,
    write_output,
)
from fer_core.data import IMAGE_SUFFIXES, read_image
from fer_core.faces import annotated_png
from fer_core.files import write_rows
from fer_core.inference import FaceAnalyzer
from fer_core.inference.pictures import PICTURE_COLUMNS, PictureResult
from fer_core.labels import EXPRESSIONS
from fer_core.names import distinct
from fer_core.store.folders import DEFAULT_MODEL, load_model
from fer_core.threads import default_workers, in_parallel
from fer_core.types import FerError


@fails_clearly
def predict(
    inputs: Annotated[
        list[str], typer.Argument(help="Pictures, folders or globs; with --out also addresses.", metavar="PICTURE…")
    ],
    model: Annotated[str, typer.Option(help="Name of a trained model.")] = DEFAULT_MODEL,
    whole_image: Annotated[
        bool, typer.Option(help="Treat each picture as one face crop; do not search for faces.")
    ] = False,
    flip: Annotated[bool, typer.Option(help="Average each face with its mirror image.")] = False,
    annotate: Annotated[Path | None, typer.Option(help="Folder for pictures with the faces drawn in.")] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Pictures to process in parallel. Default: one per CPU core.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, one row per face or per picture without.")] = False,
    as_json: AsJson = False,
    out: Out = None,
    engine: EngineName = EngineKind.LOCAL,
    address: Address = None,
) -> None:
    """Predict the expression of every face in pictures.

    A file that fails does not stop the others; the exit status is then 1.
    """
    if as_csv and as_json:
        raise FerError("Choose one of --csv and --json.")
    if out:
        if as_csv or annotate:
            raise FerError("--out writes Parquet; leave out --csv and --annotate.")
        job = Job.of("photos", load_model(model), flip=flip, whole_image=whole_image)
        analyze_archive(inputs, out, job=job, engine=engine, address=address, workers=workers, as_json=as_json)
        return
    require_out(engine, address)
    files = local_files(inputs, IMAGE_SUFFIXES)
    workers = max(1, min(default_workers() if workers is None else workers, len(files)))
    threads = 1 if workers > 1 else 2  # parallel pictures already use all cores
    analyzer = FaceAnalyzer(load_model(model).classifier(threads), flip=flip)
    if analyzer.detector.note and not whole_image:
        warn(analyzer.detector.note)
    targets = _targets(annotate, files) if annotate else [None] * len(files)
    with progress_bar() as bar:
        predictions = in_parallel(
            lambda pair: _predict_file(pair[0], model, analyzer, whole_image, pair[1]),
            zip(files, targets, strict=True),
            workers=workers,
        )
        results = list(bar.track(predictions, total=len(files), description="Predicting"))
    if as_json:
        print_json([result.as_dict() for result in results])
    elif as_csv:
        _print_csv(results)
    else:
        stdout.print(_table(results))
    failed = [result for result in results if result.error]
    warn(*(f"{result.file}: {result.error}" for result in failed))
    if failed:
        raise typer.Exit(1)


def _predict_file(
    file: Path, model: str, analyzer: FaceAnalyzer, whole_image: bool, target: Path | None
) -> PictureResult:
    try:
        image = read_image(file)
        faces = analyzer.analyze(image, whole_image=whole_image)
        if target:
            write_output(target, "annotated picture", lambda path: path.write_bytes(annotated_png(image, faces)))
    except FerError as error:
        return PictureResult(str(file), model, error=str(error))
    return PictureResult(str(file), model, tuple(faces))


def _targets(folder: Path, files: list[Path]) -> list[Path]:
    """Return one output path per file, with its name; no two are the same, and none is one of the files."""
    same = {parent for parent in {file.parent for file in files} if parent.resolve() == folder.resolve()}
    inputs = (file.name for file in files if file.parent in same)
    return [folder / name for name in distinct((f"{file.stem}-annotated.png" for file in files), inputs)]


def _print_csv(results: list[PictureResult]) -> None:
    write_rows(sys.stdout, [PICTURE_COLUMNS])
    write_rows(sys.stdout, (row for result in results for row in result.rows()))


def _table(results: list[PictureResult]) -> Table:
    rows: list[dict[str, str]] = []
    for result in results:
        file = escaped(short_path(result.file))
        if not result.faces:
            outcome = "[red]failed[/]" if result.error else "no face found"
            rows.append({"File": file, "Face": "–", "Expression": outcome, "Probability": "", "Runner-up": ""})
        for number, face in enumerate(result.faces, 1):
            second = int(face.probabilities.argsort()[-2])
            rows.append(
                {
                    "File": file,
                    "Face": str(number),
                    "Expression": face.expression,
                    "Probability": f"{face.confidence:.0%}",
                    "Runner-up": f"{EXPRESSIONS[second]} {face.probabilities[second]:.0%}",
                }
            )
    return fitted_table(rows, ["File", "Face", "Expression", "Probability", "Runner-up"])
