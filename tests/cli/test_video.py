"""`video`: tables, the annotated video, JSON, errors in one sentence, and results so far after Ctrl-C."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import av
import pandas as pd
import pytest

from fer_core.inference.face_table import video_columns
from fer_core.labels import EXPRESSIONS
from tests.cli.conftest import fails
from tests.clips import film, moving_head, scene
from tests.server import ROOT
from tests.waiting import PATIENCE, until


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One face that moves for half a second, then half a second without a face."""
    path = tmp_path_factory.mktemp("films") / "clip.mp4"
    path.write_bytes(film([*moving_head(5), *[scene()] * 5]))
    return path


def test_json_has_the_stable_keys(fer, clip, yunet_file):
    document = json.loads(fer("video", clip, "--json").stdout)
    assert list(document) == [
        "file", "model", "seconds", "seconds_without_face", "gaps", "stopped", "notes", "annotated", "faces", "frames",
    ]  # fmt: skip
    assert document["seconds"] == pytest.approx(1.0, abs=0.01)
    assert document["seconds_without_face"] == pytest.approx(0.5, abs=0.01)
    (face,) = document["faces"]
    assert (face["face"], face["seconds"]) == (1, pytest.approx(0.5, abs=0.01))
    assert face["shares"] == {name: float(name == "happy") for name in EXPRESSIONS}
    assert [len(frame["faces"]) for frame in document["frames"]] == [1] * 5 + [0] * 5
    assert list(document["frames"][0]["faces"][0])[:4] == ["face", "box", "expression", "probabilities"]


def test_a_pause_is_in_the_document_and_counts_for_no_face(fer, tmp_path, yunet_file):
    path = tmp_path / "pause.mp4"
    path.write_bytes(film([scene((10, 30))] * 8, times=[0, 0.5, 1, 1.5, 60, 60.5, 61, 61.5]))
    document = json.loads(fer("video", path, "--json").stdout)
    assert document["gaps"] == [{"start": 2.0, "end": 60.0}]
    assert [(face["face"], face["seconds"]) for face in document["faces"]] == [(1, 2.0), (2, pytest.approx(2, abs=0.5))]
    assert document["notes"][0].startswith("The recording has gaps.")


def test_files_are_written_and_agree(fer, clip, tmp_path):
    targets = {kind: tmp_path / "new" / f"out.{kind}" for kind in ("csv", "parquet", "mp4")}
    options = ("--csv", targets["csv"], "--parquet", targets["parquet"], "--annotate", targets["mp4"])
    shown = fer("video", clip, "--rate", 5, *options).stdout
    assert "5 frames over 1.0 seconds" in shown and "100 %" in shown
    parquet = pd.read_parquet(targets["parquet"])
    assert list(parquet.columns) == list(video_columns())
    assert list(parquet["seconds"]) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8], abs=1e-3)
    pd.testing.assert_frame_equal(pd.read_csv(targets["csv"]).astype(parquet.dtypes.to_dict()), parquet)
    with av.open(str(targets["mp4"])) as container:
        assert sum(1 for _ in container.decode(video=0)) == 5


def test_smoothing_is_off_unless_asked_for(fer, clip):
    raw, smooth = (json.loads(fer("video", clip, "--json", "--smoothing", s).stdout)["frames"] for s in ("0", "5"))
    happy = [[frame["faces"][0]["probabilities"]["happy"] for frame in frames[:5]] for frames in (raw, smooth)]
    assert happy[0][0] == happy[1][0]
    assert max(happy[1]) - min(happy[1]) < (max(happy[0]) - min(happy[0])) / 2


def test_wrong_calls_are_one_sentence_and_overwrite_nothing(fer, clip, tmp_path):
    for name in ("notes.mp4", "file"):
        (tmp_path / name).write_text("no film")
    before, again = clip.read_bytes(), clip.parent / "inner" / ".." / clip.name
    (clip.parent / "inner").mkdir()
    out, overwrites = ("--out", tmp_path / "out"), "would overwrite each other or the video"
    fails(
        fer,
        (("video", tmp_path / "notes.mp4"), "notes.mp4 is not a video"),
        (("video", tmp_path / "gone.mp4"), "gone.mp4 does not exist"),
        (("video", clip, "--model", "nothing"), "Trained models here"),
        (("video", clip, "--annotate", tmp_path / "a.gif"), "named .mp4 or .webm"),
        (("video", clip, "--csv", tmp_path / "file" / "out.csv"), "cannot be written"),
        (("video", clip, "--annotate", again), overwrites),
        (("video", clip, "--csv", tmp_path / "a", "--parquet", tmp_path / "a"), overwrites),
        (("video", "a.mp4", "b.mp4"), "need --out FOLDER"),
        (("video", "a.mp4", *out, "--parquet", "a.parquet"), "leave out --csv, --parquet"),
    )
    assert clip.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "notes.mp4"]


def test_videos_to_a_folder_of_parquet(fer, tmp_path, yunet_file):
    (tmp_path / "a.mp4").write_bytes(film(moving_head(3)))
    (tmp_path / "b.mp4").write_bytes(b"no video")
    shown = fer("video", tmp_path / "*.mp4", "--out", tmp_path / "table").stdout
    assert "errors: 1" in shown and "… is not a video" in shown
    table = pd.read_parquet(tmp_path / "table")
    assert list(table.columns) == ["file", "error", *video_columns()]
    assert table["face"].tolist()[:3] == [1, 1, 1] and table["error"].notna().sum() == 1


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_ctrl_c_keeps_what_is_done(tmp_path):
    path, out = tmp_path / "long.mp4", tmp_path / "out.mp4"
    path.write_bytes(film([scene((10, 30))] * 400))
    command = [sys.executable, "-m", "fer_core", "video", str(path), "--annotate", str(out), "--json"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until(lambda: list(tmp_path.glob(".partial-*out.mp4")))
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, stderr
    document = json.loads(stdout)
    assert document["stopped"] and 0 < len(document["frames"]) < 400
    assert "Stopped after" in stderr
    with av.open(str(out)) as container:
        assert sum(1 for _ in container.decode(video=0)) == len(document["frames"])
