"""`predict` and `video`: the expressions of all faces in picture files or a video, and archives of both (`--out`)."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.markup import escape
from rich.table import Table
from typer import Argument, Option

from fer_core.archives import Job, LocalEngine, RayEngine, run_archive
from fer_core.archives.storage import find_files, local_files, read_picture, shown
from fer_core.archives.worker import Done
from fer_core.cli.output import (
    AsJson,
    Model,
    WholeImage,
    fitted_table,
    print_json,
    progress_bar,
    short_path,
    stdout,
    warn,
    write_output,
)
from fer_core.columns import percent
from fer_core.data import IMAGE_SUFFIXES
from fer_core.faces import annotated_png, default_detector
from fer_core.files import records, write_bytes, write_csv, write_rows
from fer_core.inference import FaceAnalyzer
from fer_core.inference.face_table import seconds_without_face, time_shares
from fer_core.inference.pictures import PictureResult, analyze_picture, picture_columns, result_dict
from fer_core.inference.stream import StreamAnalyzer
from fer_core.inference.video import FILE_SETTINGS, VideoResult, analyze_video
from fer_core.names import distinct
from fer_core.store.folders import DEFAULT_MODEL, load_model
from fer_core.threads import default_workers, in_parallel
from fer_core.types import FaceResult, FerError, Image

_OUT_HELP = (
    "Folder or address (s3://…, gs://…) for the results as partitioned Parquet. The same command continues after an "
    "interruption."
)
Out = Annotated[str | None, Option(help=_OUT_HELP, metavar="FOLDER")]
Engine = Annotated[Literal["local", "ray"], Option(help="With --out: this machine, or a Ray cluster.")]
Address = Annotated[
    str | None, Option(help="With --engine ray: the cluster, such as auto. Default: a Ray on this machine.")
]
Flip = Annotated[bool, Option(help="Average each face with its mirror image.")]


def predict(
    inputs: Annotated[list[str], Argument(help="Pictures, folders, globs or addresses.", metavar="PICTURE…")],
    model: Model = DEFAULT_MODEL,
    whole_image: WholeImage = False,
    flip: Flip = False,
    annotate: Annotated[Path | None, Option(help="Folder for pictures with the faces drawn in.")] = None,
    workers: Annotated[
        int | None, Option(min=1, help="Pictures to process in parallel. Default: one per CPU core.")
    ] = None,
    as_csv: Annotated[bool, Option("--csv", help="Print CSV, one row per face or per picture without.")] = False,
    as_json: AsJson = False,
    out: Out = None,
    engine: Engine = "local",
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
        _analyze_archive(inputs, out, job=job, engine=engine, address=address, workers=workers, as_json=as_json)
        return
    _require_out(engine, address)
    named = (
        find_files([text], IMAGE_SUFFIXES) if "://" in text else local_files([text], IMAGE_SUFFIXES) for text in inputs
    )
    files = list(dict.fromkeys(str(file) for part in named for file in part))
    workers = max(1, min(default_workers() if workers is None else workers, len(files)))
    threads = 1 if workers > 1 else 2  # parallel pictures already use all cores
    analyzer = FaceAnalyzer(load_model(model).classifier(threads), flip=flip)
    if analyzer.detector.note and not whole_image:
        warn(analyzer.detector.note)

    def result_of(file: str, target: Path | None) -> PictureResult:
        def draw(image: Image, faces: list[FaceResult]) -> None:
            if target:
                write_output(target, "annotated picture", lambda path: write_bytes(path, annotated_png(image, faces)))

        read = partial(read_picture, file)
        return analyze_picture(read, analyzer, file=shown(file), model=model, whole_image=whole_image, use=draw)

    targets = _targets(annotate, [Path(shown(file)) for file in files]) if annotate else [None] * len(files)
    with progress_bar() as bar:
        predictions = in_parallel(lambda pair: result_of(*pair), zip(files, targets, strict=True), workers=workers)
        results = list(bar.track(predictions, total=len(files), description="Predicting"))
    if as_json:
        print_json([result.as_dict() for result in results])
    elif as_csv:
        write_rows(sys.stdout, [picture_columns(analyzer.classifier.classes)])
        write_rows(sys.stdout, (row for result in results for row in result.rows()))
    else:
        stdout.print(_table(results))
    failed = [result for result in results if result.error]
    warn(*(f"{result.file}: {result.error}" for result in failed))
    if failed:
        raise typer.Exit(1)


def video(
    inputs: Annotated[
        list[str],
        Argument(
            help="An MP4, MOV, WebM or AVI file; with --out any number, folders, globs and addresses.", metavar="FILE…"
        ),
    ],
    model: Model = DEFAULT_MODEL,
    rate: Annotated[float | None, Option(min=0.01, help="Frames to analyse per second. Default: every frame.")] = None,
    flip: Flip = False,
    smoothing: Annotated[float, Option(min=0.0, help="Time constant of the smoothing in seconds; 0: none.")] = 0,
    csv: Annotated[Path | None, Option(help="CSV file for the table of all frames and faces.")] = None,
    parquet: Annotated[Path | None, Option(help="Parquet file for the same table.")] = None,
    annotate: Annotated[Path | None, Option(help="Video file with the faces drawn in (.mp4).")] = None,
    as_json: AsJson = False,
    out: Out = None,
    engine: Engine = "local",
    address: Address = None,
    workers: Annotated[int | None, Option(min=1, help="With --out: videos to process in parallel.")] = None,
) -> None:
    """Predict the expression of every face in every frame of a video, and how long each expression lasted.

    Ctrl-C stops the analysis and keeps the results so far.
    """
    if out:
        if csv or parquet or annotate:
            raise FerError("--out writes a folder of Parquet; leave out --csv, --parquet and --annotate.")
        job = Job.of("videos", load_model(model), flip=flip, rate=rate, smoothing=smoothing)
        _analyze_archive(inputs, out, job=job, engine=engine, address=address, workers=workers, as_json=as_json)
        return
    _require_out(engine, address)
    if len(inputs) > 1:
        raise FerError(f"Several videos need --out FOLDER for their tables. Received: {len(inputs)} names")
    file = Path(inputs[0])
    paths = [path.resolve() for path in (file, csv, parquet, annotate) if path is not None]
    if len(set(paths)) < len(paths):
        raise FerError("--csv, --parquet and --annotate would overwrite each other or the video. Name different files.")
    classifier = load_model(model).classifier()
    if note := default_detector().note:
        warn(note)
    analyzer = StreamAnalyzer(classifier, settings=replace(FILE_SETTINGS, flip=flip, smoothing=smoothing))
    with _stopped_by_ctrl_c() as should_stop, progress_bar() as bar:
        task = bar.add_task("Seconds of video", total=None)
        result = analyze_video(
            file,
            analyzer,
            rate=rate,
            annotate=annotate,
            on_progress=lambda now: bar.update(task, completed=round(now.seconds, 1), total=now.total),
            should_stop=should_stop,
        )
    if csv:
        write_output(csv, "table", lambda path: write_csv(path, result.table))
    if parquet:
        write_output(parquet, "table", lambda path: write_bytes(path, result.table.to_parquet(index=False)))
    warn(*result.notes)
    if annotate and result.annotated != annotate:
        warn(f"No H.264 encoder was found, so the annotated video was written to {result.annotated}.")
    if as_json:
        print_json(_document(file, model, result))
    else:
        _print_shares(result)


def _require_out(engine: str, address: str | None) -> None:
    if engine != "local" or address:
        raise FerError("--engine and --address are for archives: also give --out FOLDER.")


def _analyze_archive(
    inputs: Sequence[str],
    out: str,
    *,
    job: Job,
    engine: str,
    address: str | None,
    workers: int | None,
    as_json: bool,
) -> None:
    """Analyse an archive and print its summary; exit with status 1 if a file has an error, 130 after Ctrl-C."""
    if address and engine != "ray":
        raise FerError("--address names a Ray cluster: also give --engine ray.")
    chosen = RayEngine(address, workers) if engine == "ray" else LocalEngine(workers)
    warn(*([job.note] if job.note else []))
    start = time.monotonic()
    try:
        with progress_bar() as bar:
            task = bar.add_task("Partitions", total=None)

            def show(done: int, total: int, results: list[Done]) -> None:
                seconds = time.monotonic() - start
                files, faces = (sum(counts) / seconds for counts in zip(*(row[1:3] for row in results), strict=True))
                text = f"Partitions, {files:,.1f} files/s, {faces:,.1f} faces/s"
                bar.update(task, completed=done, total=total, description=text)

            summary = run_archive(inputs, out, job=job, engine=chosen, on_progress=show)
    except KeyboardInterrupt:
        warn("Stopped. What is done is kept; run the same command again to continue.")
        raise typer.Exit(130) from None
    finally:
        chosen.close()
    if as_json:
        print_json(summary._asdict())
    else:
        before = summary.files - summary.done
        stdout.print(
            f"Files: {summary.files:,}, faces: {summary.faces:,}, errors: {sum(summary.errors.values()):,}, in "
            f"{escape(summary.out)}. In this call {summary.done:,} in {summary.seconds:,.1f} seconds"
            + (f"; {before:,} before" if before else "")
        )
        rates = {machine: f"{rate:,.1f}" for machine, rate in summary.faces_per_second.items()}
        errors = {kind: f"{count:,}" for kind, count in summary.errors.items()}
        for titles, values in ((("Machine", "Faces per second"), rates), (("Error", "Files"), errors)):
            if values:
                table = Table(*titles)
                for name, value in values.items():
                    table.add_row(escape(name), value)
                stdout.print(table)
    if summary.errors:
        raise typer.Exit(1)


def _targets(folder: Path, files: list[Path]) -> list[Path]:
    """Return one output path per file, with its name; no two are the same, and none is one of the files."""
    same = {parent for parent in {file.parent for file in files} if parent.resolve() == folder.resolve()}
    inputs = (file.name for file in files if file.parent in same)
    return [folder / name for name in distinct((f"{file.stem}-annotated.png" for file in files), inputs)]


def _table(results: list[PictureResult]) -> Table:
    rows = []
    for result in results:
        file = escape(short_path(result.file))
        if not result.faces:
            rows.append((file, "–", "[red]failed[/]" if result.error else "no face found", "", ""))
        for number, face in enumerate(result.faces, 1):
            second = int(face.probabilities.argsort()[-2])
            runner_up = f"{face.classes[second]} {percent(face.probabilities[second])}"
            rows.append((file, str(number), face.expression, percent(face.confidence), runner_up))
    return fitted_table(["File", "Face", "Expression", "Probability", "Runner-up"], rows)


@contextmanager
def _stopped_by_ctrl_c() -> Iterator[Callable[[], bool]]:
    """Yield a function that tells whether Ctrl-C was pressed. A second Ctrl-C interrupts as usual."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():  # only there can signals be handled
        yield stop.is_set
        return
    usual = signal.getsignal(signal.SIGINT)

    def once(*_: Any) -> None:
        stop.set()
        signal.signal(signal.SIGINT, usual)

    signal.signal(signal.SIGINT, once)
    try:
        yield stop.is_set
    finally:
        signal.signal(signal.SIGINT, usual)


def _document(file: Path, model: str, result: VideoResult) -> dict[str, Any]:
    """Return the JSON document: the time shares of each face, then every frame with its faces."""
    faces = [
        {
            "face": int(part["face"].iloc[0]),
            "seconds": round(float(part["seconds"].sum()), 3),
            "shares": {name: round(float(p), 6) for name, p in zip(result.classes, part["share"], strict=True)},
        }
        for _, part in time_shares(result.table, result.seconds, classes=result.classes).groupby("face")
    ]
    frames: dict[float, dict[str, Any]] = {}
    for row in records(result.table):
        frame = frames.setdefault(row["seconds"], {"seconds": row["seconds"], "faces": []})
        if row["face"] is not None:  # a frame without faces has one row with only its time
            frame["faces"].append({"face": row["face"], **result_dict(row, result.classes)})
    return {
        "file": str(file),
        "model": model,
        "seconds": round(result.seconds, 3),
        "seconds_without_face": round(seconds_without_face(result.table, result.seconds), 3),
        "gaps": [{"start": round(start, 3), "end": round(end, 3)} for start, end in result.gaps],
        "stopped": result.stopped,
        "notes": list(result.notes),
        "annotated": str(result.annotated) if result.annotated else None,
        "faces": faces,
        "frames": list(frames.values()),
    }


def _print_shares(result: VideoResult) -> None:
    without = seconds_without_face(result.table, result.seconds)
    stdout.print(f"{result.frames} frames over {result.seconds:.1f} seconds; {without:.1f} seconds without a face")
    table = Table("Face", "Seconds", *result.classes)
    for number, part in time_shares(result.table, result.seconds, classes=result.classes).groupby("face"):
        table.add_row(str(number), f"{part['seconds'].sum():.1f}", *map(percent, part["share"]))
    if table.row_count:
        stdout.print(table)
