"""`runs`: the queue from the command line."""

import json
import time
from dataclasses import asdict

from fer_core.files import write_json
from fer_core.models import model_spec
from fer_core.runs.data import DataSettings
from fer_core.runs.run import PLAN, RESULT, RunPlan
from fer_core.runs.status import Status, write_status
from fer_core.store.folders import load_model
from fer_core.training.recipe import Recipe
from tests.cli.conftest import fails
from tests.made_up_store import add_model


def test_look_promote_delete(fer, home):
    plan = RunPlan("My try", model_spec("compact_cnn"), Recipe(epochs=3), DataSettings(faces=140))
    folder = home / "runs" / "one"
    folder.mkdir(parents=True)
    write_json(folder / PLAN, {"created": time.time(), **asdict(plan)})
    write_status(folder, Status("finished", "Done.", epoch=3, epochs=3, warnings=("Careful.",)))
    (folder / "history.csv").write_text("epoch,accuracy,loss\n0,0.25,nan\n")
    (home / "runs" / "broken").mkdir()
    add_model(folder / RESULT, "compact_cnn")

    listed = fer("runs", "list", "--json")
    assert [(row["id"], row["state"], row["epochs"]) for row in json.loads(listed.stdout)] == [("one", "finished", 3)]
    assert "The run broken is skipped" in listed.stderr and "My try" in fer("runs", "list").stdout
    shown = json.loads(fer("runs", "show", "one", "--json").stdout)
    assert shown["history"] == [{"epoch": 0, "accuracy": 0.25, "loss": None}]
    assert RunPlan.from_dict(shown["plan"]) == plan
    assert "0.25" in fer("runs", "show", "one").stdout

    assert "it is finished" in fer("runs", "resume", "one").stderr
    assert fer("runs", "stop", "one").stdout.strip() == "one: Finished"
    assert fer("runs", "promote", "one").exit_code == 0
    assert load_model("my_try").title == "My try"
    assert fer("runs", "promote", "one", "--name", "../x").exit_code == 1
    assert fer("runs", "delete", "one").exit_code == 0
    fails(fer, (("runs", "show", "one"), "There is no run with this id"))
    assert load_model("my_try").title == "My try"
