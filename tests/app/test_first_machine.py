"""Every page where nothing was downloaded: no FER2013, no votes, no YuNet. It opens and says what is missing."""

from __future__ import annotations

import re

import pytest

from fer_core.faces import yunet_weights

DETECTOR = r"Haar cascades\..*YuNet could not be downloaded.*\(\d+ kB\).*set FER_YUNET_MODEL"
FER2013 = r"`python -m fer_core data download` \(about 60 MB.*set the environment variable FER2013_PATH"
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
        raise OSError("network is unreachable")

    monkeypatch.delenv("FER_YUNET_MODEL")
    monkeypatch.setattr(yunet_weights.LastFailure, "until", 0.0)
    monkeypatch.setattr(yunet_weights.urllib.request, "urlopen", closed_network)
    app = opened_without_error(page, **({"t_step": "Detect"} if page == "tour" else {}))
    assert not app.error
    assert not app.warning
    said = [str(one.value).replace("\\", "") for kind in (app.info, app.caption, app.markdown) for one in kind]
    missing = [text for text in said if re.search(PAGES[page] or f"{DETECTOR}|{FER2013}", text)]
    assert len(missing) == (PAGES[page] is not None), said
