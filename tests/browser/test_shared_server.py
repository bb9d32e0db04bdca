"""A shared server in real browsers: each is one visitor, also after a reload, and a link gives nothing away."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.app.made_up_runs import portrait
from tests.browser.conftest import settle

pytestmark = pytest.mark.browser

SNAPSHOTS = "/finetune?f_source=Own+snapshots&f_by=Upload"


def test_a_reload_is_the_same_visitor_and_another_browser_is_not(start_server, visit, tmp_path: Path):
    secrets = tmp_path / "secrets.toml"
    secrets.write_text("[server]\nshared = true\n", encoding="utf-8")
    server = start_server(f"--secrets.files={secrets}")
    page = visit(SNAPSHOTS, base=server)
    file = {"name": "a.png", "mimeType": "image/png", "buffer": portrait()}
    page.set_input_files('[data-testid="stFileUploader"] input[type=file]', [file])
    page.get_by_text("happy: 1").wait_for()
    page.reload()
    page.get_by_text("happy: 1").wait_for()
    link = page.url
    other = visit(link.removeprefix(server), base=server)
    other.get_by_text("happy: 0").wait_for()
    settle(other)
    assert page.evaluate("document.cookie").count("fer_lab_visitor=") == 1
