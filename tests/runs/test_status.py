"""Status: written completely, read whatever the file holds, and whether the worker lives."""

import errno
import time
from dataclasses import replace

import pytest

from fer_core.files import write_json
from fer_core.jobs import STOP, working
from fer_core.runs import status
from fer_core.runs.status import DISK_FULL, NO_MEMORY, STATUS, Status, failure_message, read_status, write_status
from fer_core.types import FerError


def test_what_is_written_is_read(tmp_path):
    written = Status("finished", "Done.", 5, 3, 3, 0, 12, 4.5, None, 1000, 1.5, 0.0, ("Careful.",))
    write_status(tmp_path, written)
    read = read_status(tmp_path)
    assert read == replace(written, updated=pytest.approx(time.time(), abs=60))
    assert [path.name for path in tmp_path.iterdir()] == [STATUS]
    write_json(tmp_path / STATUS, {"state": "stopped", "message": "Of an earlier version.", "gone": 1, "epoch": 3})
    assert (read_status(tmp_path).state, read_status(tmp_path).epoch) == ("stopped", 3)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff\xfe", b'{"epoch": 3}', b'{"state": "dancing"}',
     b'{"state": "fitting", "epoch": "many"}', b'{"state": "finished", "warnings": 3}'],
)  # fmt: skip
def test_a_damaged_status_is_reported_and_can_be_resumed(tmp_path, content):
    (tmp_path / STATUS).write_bytes(content)
    read = read_status(tmp_path)
    assert (read.state, read.message, read.can_resume) == ("interrupted", status.UNREADABLE, True)


def test_a_run_whose_worker_has_vanished_is_interrupted_or_stopped(tmp_path):
    write_status(tmp_path, Status("fitting", "Epoch 2 of 9.", epoch=1, epochs=9, seconds=10.0, seconds_left=60.0))
    with working(tmp_path):
        time.sleep(0.3)
        read = read_status(tmp_path)
        assert (read.state, read.stopping) == ("fitting", False)
        assert 10.3 <= read.seconds < 300, "working time goes on between two writings"
        assert read.seconds + read.seconds_left == pytest.approx(70.0)
        (tmp_path / STOP).touch()
        assert read_status(tmp_path).stopping
        (tmp_path / STOP).unlink()
    read = read_status(tmp_path)
    assert (read.state, read.epoch, read.message) == ("interrupted", 1, status.VANISHED)
    (tmp_path / STOP).touch()
    assert read_status(tmp_path).state == "stopped"


def test_a_full_disk_can_still_be_reported(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    write_status(tmp_path, Status("fitting", "A long sentence on what happens right now, and why.", epoch=2, epochs=4))
    room = (tmp_path / STATUS).stat().st_size
    monkeypatch.setattr(status, "write_json", full)
    write_status(tmp_path, Status("failed", "Full."))
    assert (read_status(tmp_path).message, (tmp_path / STATUS).stat().st_size) == ("Full.", room)
    (tmp_path / STATUS).unlink()
    with pytest.raises(OSError, match="No space left"):
        write_status(tmp_path, Status("failed", "Full."))


def test_how_much_is_done():
    assert Status("fitting", epoch=1, epochs=4, step=5, steps=10).fraction == pytest.approx(0.375)
    assert (Status("waiting").fraction, Status("finished").fraction) == (0, 1)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (FerError("As it is."), "As it is."),
        (OSError(errno.ENOSPC, "x"), DISK_FULL),
        (OSError("Unable to write (errno = 28, error message = 'No space left')"), DISK_FULL),
        (MemoryError(), NO_MEMORY),
        (type("ResourceExhaustedError", (Exception,), {})("as TensorFlow says"), NO_MEMORY),
    ],
)
def test_every_error_is_one_sentence(error, sentence):
    assert failure_message(error) == sentence
    unexpected = failure_message(KeyError("secret\npath"))
    assert "KeyError" in unexpected and "secret" not in unexpected
