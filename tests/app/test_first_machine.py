"""Every page where nothing was downloaded: no FER2013, no votes, no YuNet. It opens and says what is missing."""

from __future__ import annotations

import re
import socket
from types import SimpleNamespace
from urllib.error import URLError

import pytest

from fer_core.faces import detector
from fer_core.types import FerError

DETECTOR = r"simpler detector: .*YuNet could not be downloaded.*\(\d+ kB\).*set FER_YUNET_MODEL"
FER2013 = r"`fer-lab data download` \(about 60 MB.*set the environment variable FER2013_PATH"
PAGES = {
    "home": DETECTOR,
    "tour": DETECTOR,
    "predict": DETECTOR,
    "live": DETECTOR,
    "video": DETECTOR,
    "confusion": FER2013,
    "dataset": FER2013,
    "quiz": FER2013,
    "finetune": FER2013,
    "compare": None,  # shows only what is in the models' folders
    "fairness": None,
}


@pytest.mark.parametrize("page", PAGES)
def test_every_page_says_once_what_is_missing_and_what_it_costs(page, opened_without_error, monkeypatch):
    def closed_network(*_, **__):
        raise URLError(socket.gaierror(-2, "Name or service not known"))

    monkeypatch.delenv("FER_YUNET_MODEL")
    monkeypatch.setattr(detector.LastFailure, "until", 0.0)
    monkeypatch.setattr(detector.urllib.request, "urlopen", closed_network)
    app = opened_without_error(page, **({"t_step": "Detect"} if page == "tour" else {}))
    assert not app.error
    assert not app.warning
    said = [str(one.value).replace("\\", "") for kind in (app.info, app.caption, app.markdown) for one in kind]
    missing = [text for text in said if re.search(PAGES[page] or f"{DETECTOR}|{FER2013}", text)]
    assert len(missing) == (PAGES[page] is not None), said
    assert not [text for text in said if "Errno" in text or "urlopen" in text]
    shown = [str(one.value) for kind in (app.info, app.caption, app.warning) for one in kind]
    assert not [text for text in shown if "\\`" in text], "a command is shown as code"


OF_FINETUNE = ({"f_tab": "Runs"}, {"f_tab": "Tuning"}, {"f_source": "Own snapshots"}, {"f_source": "Own pictures"})


@pytest.mark.parametrize(("page", "query"), [(page, {}) for page in PAGES] + [("finetune", tab) for tab in OF_FINETUNE])
def test_every_page_opens_where_the_data_folder_cannot_be_written(
    page, query, opened_without_error, tmp_path, monkeypatch
):
    (tmp_path / "file").touch()
    monkeypatch.setenv("FER_HOME", str(tmp_path / "file" / "home"))
    app = opened_without_error(page, **query)
    assert app.title
    for box in (*app.error, *app.warning):
        assert "cannot be created (Not a directory). Set the environment variable" in box.value.replace("\\", "")


@pytest.mark.parametrize("error", [FerError("It is full: `make room`"), OSError(30, "Read-only file system", "/data")])
def test_a_page_that_cannot_go_on_ends_with_a_sentence(error, opened_without_error, monkeypatch):
    def fails():
        raise error

    monkeypatch.setattr("pages.navigation", lambda **_: SimpleNamespace(run=fails))
    (box,) = opened_without_error("home").error
    assert box.value in (
        "It is full\\: `make room`",
        "A file cannot be read or written (Read\\-only file system). Check the disk of FER Lab's computer.",
    )
