"""`video`: expressions over time in a video file."""

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

from fer_core.cli.output import AsJson, complain, fails_clearly, print_json, progress_bar, stdout
from fer_core.faces import default_detector
from fer_core.inference import Classifier
from fer_core.inference.stream import StreamAnalyzer
from fer_core.inference.video import FILE_SETTINGS, VideoResult, analyze_video
from fer_core.inference.video_table import seconds_without_face, time_shares
from fer_core.labels import EXPRESSIONS
from fer_core.store import DEFAULT_MODEL, load_model
from fer_core.types import FerError


@fails_clearly
def video(
    file: Annotated[Path, typer.Argument(help="An MP4, MOV, WebM or AVI file.", metavar="FILE")],
    model: Annotated[str, typer.Option(help="Which trained model.")] = DEFAULT_MODEL,
    rate: Annotated[
        float | None, typer.Option(min=0.01, help="Analyse so many frames a second; by default every frame.")
    ] = None,
    flip: Annotated[bool, typer.Option(help="Average each face with its mirror image.")] = False,
    smoothing: Annotated[float, typer.Option(min=0.0, help="Time constant in seconds; 0 keeps each frame apart.")] = 0,
    csv: Annotated[Path | None, typer.Option(help="Write the table of all frames and faces here.")] = None,
    parquet: Annotated[Path | None, typer.Option(help="The same table as Parquet.")] = None,
    annotate: Annotated[Path | None, typer.Option(help="Write the video with boxes and words here (.mp4).")] = None,
    as_json: AsJson = False,
) -> None:
    """Analyse a video file: every face of every frame, and how long each expression showed.

    Ctrl-C stops, and keeps what is done by then.
    """
    classifier = Classifier.of(load_model(model))
    if note := default_detector().note:
        complain(note)
    analyzer = StreamAnalyzer(classifier, settings=replace(FILE_SETTINGS, flip=flip, smoothing=smoothing))
    with _stopped_by_ctrl_c() as should_stop, progress_bar() as bar:
        task = bar.add_task("Seconds of video", total=None)
        result = analyze_video(
            file,
            analyzer,
            rate,
            annotate,
            lambda now: bar.update(task, completed=round(now.seconds, 1), total=now.total and round(now.total, 1)),
            should_stop,
        )
    if csv:
        _write(csv, lambda path: result.table.to_csv(path, index=False))
    if parquet:
        _write(parquet, lambda path: result.table.to_parquet(path, index=False))
    for sentence in result.notes:
        complain(sentence)
    if annotate and result.annotated != annotate:
        complain(f"There is no H.264 encoder here: the annotated video is {result.annotated}.")
    if as_json:
        print_json(_document(file, model, result))
    else:
        _print_table(result)


@contextmanager
def _stopped_by_ctrl_c() -> Iterator[Callable[[], bool]]:
    """Yield what tells whether Ctrl-C was pressed; pressed twice, it interrupts as usual."""
    stop = threading.Event()
    usual = signal.getsignal(signal.SIGINT)

    def once(*_: Any) -> None:
        stop.set()
        signal.signal(signal.SIGINT, usual)

    try:
        signal.signal(signal.SIGINT, once)
    except ValueError:  # not the main thread: somebody else's program
        yield stop.is_set
        return
    try:
        yield stop.is_set
    finally:
        signal.signal(signal.SIGINT, usual)


def _write(path: Path, write: Callable[[Path], None]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path)
    except OSError as error:
        raise FerError(f"The table cannot be written to {path}: {error.strerror or error}.") from error


def _document(file: Path, model: str, result: VideoResult) -> dict[str, Any]:
    """Return the stable JSON form: shares of time by face, then every frame with its faces."""
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
        if row["expression"] in EXPRESSIONS:  # a frame without a face has a row of its time alone
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
