import io
import sys
from types import SimpleNamespace

import pytest
import requests

from fer_core.data import VOTE_COLUMNS, download_fer2013, download_ferplus, load_fer2013, load_ferplus
from fer_core.types import FerError
from tests.data.conftest import csv_text, make_dataset


@pytest.fixture
def kaggle(monkeypatch):
    """Replace kagglehub: the returned function sets what a download does with its output folder."""

    def behave(action):
        def dataset_download(handle, *, output_dir):
            assert handle == "msambare/fer2013"
            return action(output_dir)

        monkeypatch.setitem(sys.modules, "kagglehub", SimpleNamespace(dataset_download=dataset_download))

    return behave


def test_download_lands_in_home_and_what_is_here_is_not_downloaded(
    home, kaggle, tmp_path, monkeypatch, write_image_edition
):
    source = write_image_edition(make_dataset(21))
    kaggle(lambda folder: source.rename(folder) and folder)
    assert download_fer2013() == home / "fer2013"
    assert load_fer2013().fingerprint == make_dataset(21).fingerprint
    assert [path.name for path in home.iterdir() if path.name.startswith(".")] == []
    kaggle(lambda _: pytest.fail("downloaded again"))
    assert download_fer2013() == home / "fer2013"
    (tmp_path / "fer2013.csv").write_text(csv_text(make_dataset(21)), encoding="utf-8")
    monkeypatch.setenv("FER2013_PATH", str(tmp_path))
    assert download_fer2013() == tmp_path / "fer2013.csv"


def test_download_ignoring_our_folder_is_copied(home, kaggle, write_image_edition):
    source = write_image_edition(make_dataset(21))  # as on Colab and Kaggle, where the data is mounted
    kaggle(lambda _: str(source))
    download_fer2013()
    assert (source / "train").is_dir()
    assert len(load_fer2013()) == 21


UnauthenticatedError = type("UnauthenticatedError", (Exception,), {})  # named as kagglehub's own


def refused(status):
    return requests.HTTPError("refused", response=SimpleNamespace(status_code=status))


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (requests.ConnectionError("no route"), "there is no network, or Kaggle does not answer"),
        (UnauthenticatedError(), "asks for credentials"),
        (refused(403), "asks for credentials"),
        (refused(404), "HTTPError, HTTP status 404"),
        (OSError(28, "No space left on device"), "OSError"),
    ],
)
def test_failure_is_one_sentence_and_leaves_nothing(home, kaggle, error, message):
    def fail(_folder):
        raise error

    kaggle(fail)
    with pytest.raises(FerError, match=rf"could not be downloaded from Kaggle: .*{message}.* in a browser") as caught:
        download_fer2013()
    assert "\n" not in str(caught.value)
    assert not [path for path in home.rglob("*") if path not in (home / "cache", home / "cache" / "visits")]


def test_something_else_came(home, kaggle, tmp_path):
    kaggle(lambda _: str(tmp_path))
    with pytest.raises(FerError, match="Kaggle sent something other than FER2013's train/ and test/ folders"):
        download_fer2013()


TABLE = f"Usage,Image name,{','.join(VOTE_COLUMNS)}\nTraining,fer0000032.png,1,2,3,4,0,0,0,0,0,0\n".encode()


@pytest.fixture
def github(monkeypatch):
    """Replace the request: the returned function sets the answer, or the error."""

    def behave(answer):
        def urlopen(*_, **__):
            if isinstance(answer, Exception):
                raise answer
            return io.BytesIO(answer)

        monkeypatch.setattr("fer_core.data.download.urllib.request.urlopen", urlopen)

    return behave


def test_votes_land_in_home_and_what_is_here_is_not_downloaded(home, github, tmp_path, monkeypatch):
    github(TABLE)
    assert download_ferplus() == home / "fer2013" / "fer2013new.csv"
    votes = load_ferplus().votes
    assert votes[votes.any(axis=1)].tolist() == [[1, 2, 3, 4, 0, 0, 0, 0, 0, 0]]
    github(AssertionError("downloaded again"))
    assert download_ferplus() == home / "fer2013" / "fer2013new.csv"
    (tmp_path / "votes.csv").write_bytes(TABLE)
    monkeypatch.setenv("FERPLUS_PATH", str(tmp_path / "votes.csv"))
    assert download_ferplus() == tmp_path / "votes.csv"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (OSError("no route"), "could not be downloaded from GitHub .no route"),
        *((content, "GitHub's answer was not FER.'s table of votes") for content in (b"<html>sign in</html>", b"")),
    ],
)
def test_votes_that_do_not_come(home, github, answer, message):
    github(answer)
    with pytest.raises(FerError, match=f"{message}.*github.com/microsoft/FERPlus and set FERPLUS_PATH"):
        download_ferplus()
    assert not any((home / "fer2013").iterdir())


def test_a_folder_that_cannot_be_made_is_explained(home):
    home.mkdir()
    (home / "fer2013").write_bytes(b"no folder")
    with pytest.raises(FerError, match=r"data folder .* cannot be created"):
        download_ferplus()
