"""`video`: analyse the expressions in a video file over time."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from fer_core.archives import Job
from fer_core.cli.archive import Address, EngineKind, EngineName, Out, analyze_archive, require_out
from fer_core.cli.output import AsJson, fails_clearly, print_json, progress_bar, stdout, warn, write_output
from fer_core.faces import default_detector
from fer_core.files import write_csv
from fer_core.inference.face_table import seconds_without_face, time_shares
from fer_core.inference.stream import StreamAnalyzer
from fer_core.inference.video import FILE_SETTINGS, VideoResult, analyze_video
from fer_core.labels import EXPRESSIONS
from fer_core.store.folders import DEFAULT_MODEL, load_model
from fer_core.types import FerError


@fails_clearly
def video(
    inputs: Annotated[
        list[str],
        typer.Argument(
            help="An MP4, MOV, WebM or AVI file; with --out any number, folders, globs and addresses.", metavar="FILE…"
        ),
    ],
    model: Annotated[str, typer.Option(help="Name of a trained model.")] = DEFAULT_MODEL,
    rate: Annotated[
        float | None, typer.Option(min=0.01, help="Frames to analyse per second. Default: every frame.")
    ] = None,
    flip: Annotated[bool, typer.Option(help="Average each face with its mirror image.")] = False,
    smoothing: Annotated[float, typer.Option(min=0.0, help="Time constant of the smoothing in seconds; 0: none.")] = 0,
    csv: Annotated[Path | None, typer.Option(help="CSV file for the table of all frames and faces.")] = None,
    parquet: Annotated[Path | None, typer.Option(help="Parquet file for the same table.")] = None,
    annotate: Annotated[Path | None, typer.Option(help="Video file with the faces drawn in (.mp4).")] = None,
    as_json: AsJson = False,
    out: Out = None,
    engine: EngineName = EngineKind.LOCAL,
    address: Address = None,
    workers: Annotated[int | None, typer.Option(min=1, help="With --out: videos to process in parallel.")] = None,
) -> None:
    """Predict the expression of every face in every frame of a video, and how long each expression lasted.

    Ctrl-C stops the analysis and keeps the results so far.
    """
    if out:
        if csv or parquet or annotate:
            raise FerError("--out writes a folder of Parquet; leave out --csv, --parquet and --annotate.")
        job = Job.of("videos", load_model(model), flip=flip, rate=rate, smoothing=smoothing)
        analyze_archive(inputs, out, job=job, engine=engine, address=address, workers=workers, as_json=as_json)
        return
    require_out(engine, address)
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
        write_output(parquet, "table", lambda path: path.write_bytes(result.table.to_parquet(index=False)))
    warn(*result.notes)
    if annotate and result.annotated != annotate:
        warn(f"No H.264 encoder was found, so the annotated video was written to {result.annotated}.")
    if as_json:
        print_json(_document(file, model, result))
    else:
        _print_table(result)


@contextmanager
def _stopped_by_ctrl_c() -> Iterator[Callable[[], bool]]:
    """Yield a function that tells whether Ctrl-C was pressed. A second Ctrl-C interrupts as usual."""
    stop = threading.Event()
    usual = signal.getsignal(signal.SIGINT)

    def once(*_: Any) -> None:
        stop.set()
        signal.signal(signal.SIGINT, usual)

    try:
        signal.signal(signal.SIGINT, once)
    except ValueError:  # signals can only be handled in the main thread
        yield stop.is_set
        return
    try:
        yield stop.is_set
    finally:
        signal.signal(signal.SIGINT, usual)


def _document(file: Path, model: str, result: VideoResult) -> dict[str, Any]:
    """Return the JSON document: the time shares of each face, then every frame with its faces."""
    shares = time_shares(result.table, result.seconds)
    faces = [
        {
            "face": number,
            "seconds": round(float(part["seconds"].sum()), 3),
            "shares": {name: round(float(p), 6) for name, p in zip(EXPRESSIONS, part["share"], strict=True)},
        }
        for number, part in ((number, shares[shares["face"] == number]) for number in result.faces)
    ]
    frames: dict[float, dict[str, Any]] = {}
    rows: list[dict[str, Any]] = result.table.to_dict("records")  # type: ignore[assignment]
    for row in rows:
        frame = frames.setdefault(row["seconds"], {"seconds": row["seconds"], "faces": []})
        if row["expression"] in EXPRESSIONS:  # a frame without faces has one row with only its time
            frame["faces"].append(
                {
                    "face": int(row["face"]),
                    "box": [row[side] for side in ("x", "y", "width", "height")],
                    "expression": row["expression"],
                    "probabilities": {name: row[name] for name in EXPRESSIONS},
                }
            )
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


def _print_table(result: VideoResult) -> None:
    shares = time_shares(result.table, result.seconds)
    table = Table("Face", "Seconds", *EXPRESSIONS)
    for number in result.faces:
        part = shares[shares["face"] == number]
        table.add_row(str(number), f"{part['seconds'].sum():.1f}", *(f"{share:.0%}" for share in part["share"]))
    without = seconds_without_face(result.table, result.seconds)
    stdout.print(f"{result.frames} frames over {result.seconds:.1f} seconds; {without:.1f} seconds without a face")
    if result.faces:
        stdout.print(table)
