import dataclasses
import http.client
import io
import json
import multiprocessing
import os
import socket
import ssl
import sys
import urllib.error
from email.message import Message
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image
from pyarrow import fs

from fer_core.added import Takes
from fer_core.archives import LocalEngine, run_archive, storage
from fer_core.archives.run import plan_for
from fer_core.archives.storage import Location
from fer_core.archives.worker import Task
from fer_core.data import read_image
from fer_core.inference import FaceAnalyzer
from fer_core.inference.face_table import video_columns
from fer_core.inference.pictures import picture_columns, result_row
from fer_core.inference.stream import StreamAnalyzer
from fer_core.inference.video import FILE_SETTINGS, analyze_video
from fer_core.store.folders import load_model
from fer_core.types import FerError
from tests.archives.conftest import PHOTOS
from tests.junk import with_junk
from tests.waiting import until

LOCAL = LocalEngine(1)
PARTS = [f"part-{index:05d}.parquet" for index in range(3)]


def run(inputs, out, job, engine=LOCAL, **more):
    return run_archive([str(file) for file in inputs], str(out), job=job, engine=engine, **more)


def assert_same(*folders, without=()):
    """Two folders of results have the same rows in the same order, all values equal."""
    pd.testing.assert_frame_equal(*(pd.read_parquet(f).drop(columns=list(without)) for f in folders), check_exact=True)


class Counts:
    """An engine that remembers what it was asked to do, and may stop early as after Ctrl-C."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.names: list[str] = []
        self.stop_after = stop_after

    def run(self, job, out, tasks):
        for done in LOCAL.run(job, out, tasks[: self.stop_after]):
            self.names.append(done.name)
            yield done
        if self.stop_after:
            raise KeyboardInterrupt


def test_photos_have_the_rows_of_one_after_the_other(photos, photo_job, tmp_path):
    seen = []
    told = lambda done, total, results: seen.append((done, total, len(results)))  # noqa: E731
    summary = run([photos], tmp_path / "out", photo_job, on_progress=told)
    table = pd.read_parquet(tmp_path / "out")
    assert list(table.columns) == list(picture_columns())
    analyzer = FaceAnalyzer(load_model().classifier(threads=1))
    expected = []
    for file in [*sorted(photos.glob("*.jpg")), photos / "inner" / "last.jpg"]:
        broken = file.name == "000020.jpg"
        faces = [] if broken else analyzer.analyze(read_image(file))
        expected += [(str(file), *result_row(face)) for face in faces] or [(str(file), None)]
    rows = table.astype(object).where(table.notna(), None).itertuples(index=False)
    assert [(row[0], None) if isinstance(row[1], str) else (row[0], *row[3:]) for row in rows] == expected
    assert (summary.files, summary.done, summary.faces) == (PHOTOS, PHOTOS, len(expected) - 1)
    assert list(summary.errors.values()) == [1]
    assert seen == [(1, 3, 1), (2, 3, 2), (3, 3, 3)]
    assert sum(summary.faces_per_second.values()) > 0


def test_an_interrupted_archive_goes_on_with_what_is_missing(photos, photo_job, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        run([photos], out, photo_job, Counts(stop_after=1))
    part = out / PARTS[0]
    written = part.stat().st_mtime_ns
    (out / f".partial-x0-{PARTS[1]}").write_bytes(b"half")  # what a killed process leaves
    rest = Counts()
    first = run([photos], out, photo_job, rest)
    assert PARTS[0] not in rest.names and PARTS[1] in rest.names
    assert part.stat().st_mtime_ns == written
    again = Counts()
    second = run([photos], out, photo_job, again)
    assert again.names == [] and second.done == 0
    assert (second.files, second.faces, second.errors) == (first.files, first.faces, first.errors)
    assert pd.read_parquet(out)["file"].nunique() == PHOTOS


def test_other_files_or_settings_get_a_sentence(photos, photo_job, video_job, tmp_path):
    out, few = tmp_path / "out", [str(photos / "000000.jpg"), str(photos / "000001.jpg")]
    run(few, out, photo_job)
    for inputs, job, says in (
        ([str(photos)], photo_job, f"{PHOTOS - 2} new, 0 missing and 0 changed"),
        (few[:1], photo_job, "0 new, 1 missing"),
        (few, dataclasses.replace(photo_job, flip=True), r"other settings \(flip\)"),
        (few, dataclasses.replace(photo_job, weights=b""), r"other settings \(model file\)"),
        (few, video_job, r"other settings \(kind of files\)"),
        (few, dataclasses.replace(photo_job, preprocessing="clahe"), r"other settings \(preprocessing\)"),
        (few, dataclasses.replace(photo_job, classes=("a", "b")), r"other settings \(classes\)"),
        (few, dataclasses.replace(photo_job, takes=Takes(48, "gray", "0-1")), r"other settings \(takes\)"),
    ):
        with pytest.raises(FerError, match=says):
            run(inputs, out, job)
    other = dataclasses.replace(photo_job, preprocessing="clahe", takes=Takes(48, "gray", "0-1"))
    run(few, tmp_path / "takes", dataclasses.replace(photo_job, preprocessing="clahe"))
    with pytest.raises(FerError, match=r"other settings \(preprocessing\)"):
        run(few, tmp_path / "takes", photo_job)
    plan_for(Location.of(str(tmp_path / "same")), other, sizes={"a.jpg": 1})
    assert len(plan_for(Location.of(str(tmp_path / "same")), other, sizes={"a.jpg": 1})) == 1
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / PARTS[0]).write_bytes(b"")
    with pytest.raises(FerError, match="Name a new folder"):
        run(few, tmp_path / "other", photo_job)


def test_after_a_killed_process_the_same_call_goes_on(photos, photo_job, tmp_path):
    class Kills(LocalEngine):
        def run(self, job, out, tasks):
            for done in super().run(job, out, tasks):
                multiprocessing.active_children()[0].kill()
                yield done

    run([photos], tmp_path / "one", photo_job)
    with pytest.raises(FerError, match="A process died"):
        run([photos], tmp_path / "processes", photo_job, Kills(2))
    summary = run([photos], tmp_path / "processes", photo_job, LocalEngine(2))
    assert 0 < summary.done < PHOTOS
    assert_same(tmp_path / "one", tmp_path / "processes")


def test_stores_are_read_and_written_through_pyarrow(photos, videos, photo_job, video_job, tmp_path, monkeypatch):
    """A `SubTreeFileSystem` stands for a bucket: it is not local, and each file is written by one put."""
    video_job = dataclasses.replace(video_job, rate=2.0)
    bucket = fs.SubTreeFileSystem(str(tmp_path), fs.LocalFileSystem())
    (tmp_path / "in").symlink_to(photos)
    (tmp_path / "table").mkdir()
    monkeypatch.setattr(storage, "filesystem_of", lambda root, _: (bucket, root.partition("://")[2]))
    (tmp_path / "b").symlink_to(tmp_path)
    run_archive(
        ["s3://b/in/00000?.jpg", "s3://b/in/inner", "s3://b/gone.jpg"], "s3://b/table", job=photo_job, engine=LOCAL
    )
    table = pd.read_parquet(tmp_path / "table")
    assert sorted(table["file"].unique()) == sorted(
        [*(f"s3://b/in/00000{k}.jpg" for k in range(10)), "s3://b/in/inner/last.jpg", "s3://b/gone.jpg"]
    )
    assert table.loc[table["file"] == "s3://b/gone.jpg", "error"].item().startswith("gone.jpg does not exist")
    assert not list((tmp_path / "table").glob(".partial-*"))
    (tmp_path / "videos").symlink_to(videos)
    (tmp_path / "faces").mkdir()
    summary = run_archive(["s3://b/videos", "s3://b/videos/gone.mp4"], "s3://b/faces", job=video_job, engine=LOCAL)
    assert summary.files == 5
    run([videos], tmp_path / "here", video_job)
    table, here = (pd.read_parquet(tmp_path / name) for name in ("faces", "here"))
    gone = table["file"] == "s3://b/videos/gone.mp4"
    assert table.loc[gone, "error"].item().startswith("gone.mp4 does not exist. Check the address")
    pd.testing.assert_frame_equal(table[~gone].drop(columns="file"), here.drop(columns="file"), check_exact=True)


class Bucket:
    """A store whose connection breaks: some files cannot be opened, of some only the first bytes are read."""

    def __init__(self, folder):
        self._files = fs.SubTreeFileSystem(str(folder), fs.LocalFileSystem())
        self.closed, self.short = set(), set()

    def __getattr__(self, name):
        return getattr(self._files, name)

    def open_input_file(self, path):
        if path.rpartition("/")[2] in self.closed:
            raise OSError("AWS Error NETWORK_CONNECTION during HeadObject operation")
        stream = self._files.open_input_file(path)
        return Short(stream) if path.rpartition("/")[2] in self.short else stream


class Short(io.BytesIO):
    def __init__(self, stream):
        super().__init__(stream.read())

    def read(self, size=None):
        if self.tell() > 0 or size is None:
            raise OSError("AWS Error NETWORK_CONNECTION during GetObject operation")
        return super().read(min(size, 4096))


def test_files_that_cannot_be_reached_are_done_by_the_next_call(
    photos, videos, photo_job, video_job, tmp_path, monkeypatch
):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "in").symlink_to(photos)
    (tmp_path / "b" / "videos").symlink_to(videos)
    bucket = Bucket(tmp_path)
    monkeypatch.setattr(storage, "filesystem_of", lambda *_: (bucket, "b"))
    for kind, job, closed, short in (
        ("in", photo_job, {"000001.jpg"}, set()),
        ("in", photo_job, set(), {"000001.jpg"}),
        ("videos", dataclasses.replace(video_job, rate=2.0), set(), {"long.mp4"}),
    ):
        out = tmp_path / f"{kind}-{len(short)}"
        bucket.closed, bucket.short = closed, short
        with pytest.raises(FerError, match=r"1 of \d partitions are not written.*could not be read from its store"):
            run([f"s3://b/{kind}"], out, job)
        assert list(out.glob("part-*")) or kind == "videos"  # the others are written
        bucket.closed, bucket.short = set(), set()
        summary = run([f"s3://b/{kind}"], out, job)
        assert 0 < summary.done <= summary.files
        assert not [error for error in summary.errors if "could not be read" in error]


@pytest.mark.parametrize(
    ("error", "may_pass"),
    [
        (urllib.error.HTTPError("", 404, "Not Found", Message(), None), False),
        (urllib.error.HTTPError("", 503, "Unavailable", Message(), None), True),
        (urllib.error.URLError(socket.gaierror(socket.EAI_NONAME, "unknown")), False),
        (urllib.error.URLError(ConnectionRefusedError()), True),
        (urllib.error.URLError(ssl.SSLCertVerificationError()), False),
        (TimeoutError(), True),
        (http.client.IncompleteRead(b""), True),
        (http.client.InvalidURL(), False),
    ],
)
def test_a_download_is_tried_again_if_it_may_succeed(error, may_pass, monkeypatch):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr("urllib.request.urlopen", fail)
    with pytest.raises(FerError) as told:
        storage.read_picture("https://example.org/a.jpg")
    assert isinstance(told.value, storage.Unreachable) is may_pass


def test_file_addresses_are_read_and_written_and_wrong_ones_get_a_sentence(photos, photo_job, tmp_path):
    run_archive([f"file://{photos}/inner"], f"file://{tmp_path}/one", job=photo_job, engine=LOCAL)
    run([photos / "inner"], tmp_path / "other", photo_job)
    assert pd.read_parquet(tmp_path / "one")["file"].tolist() == [f"file://{photos}/inner/last.jpg"]
    assert_same(tmp_path / "one", tmp_path / "other", without=["file"])
    (tmp_path / "file").write_text("in the way")
    for inputs, out, says in (
        (["nosuch://bucket/photos"], tmp_path / "out", "cannot be opened"),
        ([str(tmp_path / "gone.jpg")], tmp_path / "file" / "out", "cannot be"),
        ([], tmp_path / "out", "at least one"),
    ):
        with pytest.raises(FerError, match=says):
            run(inputs, out, photo_job)


def test_videos_have_the_rows_of_the_command_for_one_video(videos, video_job, tmp_path):
    job = dataclasses.replace(video_job, rate=5.0, smoothing=0.5)
    summary = run([videos], tmp_path / "out", job)
    table = pd.read_parquet(tmp_path / "out")
    assert list(table.columns) == ["file", "error", *video_columns()]
    gaps, error = sorted(summary.errors)
    assert error.startswith("… is not a video")
    assert gaps == "The recording has gaps"
    for name, faces in (("long.mp4", 2), ("short.mp4", 1), ("cut.mp4", 3)):
        settings = dataclasses.replace(FILE_SETTINGS, smoothing=0.5)
        stream = StreamAnalyzer(load_model().classifier(threads=1), settings=settings)
        expected = analyze_video(videos / name, stream, rate=5.0).table
        rows = table.loc[(table["file"] == str(videos / name)) & table["error"].isna(), list(video_columns())]
        assert expected["face"].nunique() == faces
        pd.testing.assert_frame_equal(rows.reset_index(drop=True), expected, check_dtype=False, check_exact=True)


def test_a_large_video_has_a_partition_of_its_own_and_small_ones_share_one(video_job, tmp_path):
    megabytes = {"a": 6, "b": 66, "c": 12, "d": 2, "e": 0, "f": 32, "g": 19}
    sizes = {name: 10**6 * size for name, size in megabytes.items()}
    tasks = plan_for(Location.of(str(tmp_path)), video_job, sizes=sizes)
    assert [task.files for task in tasks] == [("b",), ("a", "c", "d"), ("f",), ("e", "g")]


def test_an_archive_of_the_first_edition_goes_on(videos, video_job, tmp_path):
    """Its plan calls videos films and counts their pieces, and pieces may be left beside the partitions."""
    out, names = tmp_path / "out", ["cut.mp4", "long.mp4", "short.mp4"]
    files, job = [str(videos / name) for name in names], dataclasses.replace(video_job, rate=2.0)
    run(files, tmp_path / "expected", job)
    (out / "_pieces").mkdir(parents=True)
    (out / "_pieces" / "part-00001-0000.parquet").write_bytes(b"not read")
    sizes = [Path(file).stat().st_size for file in files]
    plan = {"partition": [0, 1, 2], "file": files, "size": sizes, "pieces": [1, 3, 1], "seconds": [9.0, 6.0, 0.6]}
    pd.DataFrame(plan).to_parquet(out / "_files.parquet")
    document = {"kind": "films", "settings": job.settings(), "files": 3, "partitions": 3}
    (out / "_plan.json").write_text(json.dumps(document))
    rest = Counts()
    run(files, out, job, rest)
    assert sorted(rest.names) == PARTS
    assert_same(tmp_path / "out", tmp_path / "expected")


def test_a_damaged_plan_is_one_sentence(photo_job, tmp_path):
    folder = Location.of(str(tmp_path))
    plan_for(folder, photo_job, sizes={"a.jpg": 1})
    for content in ("", "[]", "{}", '{"kind": 3, "settings": {}}', '{"kind": "photos", "settings": 1}'):
        (tmp_path / "_plan.json").write_text(content)
        with pytest.raises(FerError, match=r"is damaged\. Name a new folder"):
            plan_for(folder, photo_job, sizes={"a.jpg": 1})


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_names_that_are_not_utf8_and_photos_without_a_face_have_rows(photos, photo_job, tmp_path):
    folder = with_junk(tmp_path / "in", b"x")
    Image.new("RGB", (60, 60)).save(folder / "empty.png")
    for name, content in ((b"/caf\xe9.jpg", (photos / "000001.jpg").read_bytes()), (b"/z\xe4.jpg", b"no photo")):
        Path(os.fsdecode(os.fsencode(folder) + name)).write_bytes(content)
    for done in (3, 0):  # the second call finds all of them done
        summary = run([folder], tmp_path / "out", photo_job)
        assert (summary.files, summary.done, summary.faces) == (3, done, 1)
    table = pd.read_parquet(tmp_path / "out")
    assert table["file"].tolist() == [f"{folder}/{name}" for name in ("caf%E9.jpg", "empty.png", "z%E4.jpg")]
    assert table["face"].notna().tolist() == [True, False, False]
    assert table["error"].notna().tolist() == [False, False, True]
    assert table["error"][2].startswith("z%E4.jpg is not an image")
    with pytest.raises(FerError, match="Results need a folder whose name is UTF-8"):
        run_archive([str(folder)], os.fsdecode(os.fsencode(tmp_path) + b"/\xe9"), job=photo_job, engine=LOCAL)


def test_patterns_and_stores_leave_out_junk(tmp_path, monkeypatch):
    folder = with_junk(tmp_path / "in", b"x")
    (folder / "a.png").write_bytes(b"x")
    for text in (str(folder), f"{folder}/**/*.png", f"{folder}/*", f"file://{folder}", f"file://{folder}/*.png"):
        (file,) = storage.find_files([text], (".png",))
        assert file.removeprefix("file://") == f"{folder}/a.png", text


def test_who_stops_does_not_wait_for_a_long_video(videos, video_job, tmp_path):
    tasks = [Task("short.parquet", (str(videos / "short.mp4"),)), Task("long.parquet", (str(videos / "long.mp4"),) * 9)]
    before = set(multiprocessing.active_children())
    running = LocalEngine(2).run(video_job, str(tmp_path), tasks)
    assert next(running).name == "short.parquet"
    running.close()
    for process in set(multiprocessing.active_children()) - before:
        until(lambda process=process: not process.is_alive())  # two threads may wait for it, so `join` may come early
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith(".")] == ["short.parquet"]
