"""Charts of comparisons: they draw what the table says, name every model, and can be turned into pictures."""

import pandas as pd
import pytest

from fer_core import comparison, figures
from fer_core.figures.style import MODEL_COLORS, model_color, model_key
from fer_core.labels import COLORS
from tests.made_up_store import add_models


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return add_models(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def answers(models):
    return comparison.load_answers(models, "PublicTest", "plain")[0]


@pytest.fixture(scope="module")
def charts(answers, models):
    measured = comparison.measure(answers)
    at = comparison.thresholds(answers, "fear", 0.4)
    curves = comparison.curve_points(answers)
    history, _, _ = comparison.histories(models)
    board = comparison.scoreboard(answers, measured, models)
    bins = comparison.reliability_bins(answers)
    cells = comparison.confusion_cells(answers, "weak")
    front = answers.titles["fair"]
    return {
        "ranking": figures.ranking(board, "avg_fpr", "Avg FPR", ascending=True),
        "class_bars": figures.class_bars(comparison.class_f1(answers, measured)),
        "roc": figures.roc_chart(comparison.curves_of(curves, "roc", "fear"), at, front),
        "roc without points": figures.roc_chart(comparison.curves_of(curves, "roc", "fear"), at.head(0)),
        "pr": figures.pr_chart(comparison.curves_of(curves, "pr", "fear"), at),
        "reliability": figures.reliability_chart(bins, front),
        "confidence": figures.confidence_bars(bins[bins["model"] == front]),
        "robustness": _robustness(models, front),
        "robustness of all alike": _robustness(models, None),
        "training": figures.training_chart(history, "accuracy"),
        "pairs": figures.pair_matrix(comparison.both_ways(comparison.pairs(answers)), list(board["model"])),
        "paper": figures.paper_chart(
            comparison.paper_marks(comparison.paper_overall(None, {}), "accuracy"), "Accuracy"
        ),
        "counts": figures.confusion_chart(cells, "counts", ("fear", "sad")),
        "difference": figures.difference_chart(comparison.difference_cells(answers, "able", "weak"), "rates"),
    }


def _robustness(models, front):
    table, _, _ = comparison.robustness(models)
    curves = comparison.robustness_curves(table, "blur")
    return figures.robustness_chart(curves, "Blur", "pixels", [model.title for model in models], front)


def test_every_chart_can_be_drawn(charts):
    for name, chart in charts.items():
        assert chart.to_dict()["height"] > 100, name


def test_precision_is_not_interpolated_between_recalls(charts):
    """The class prior's curve of two points would else run straight from 100 % down to the share of the class."""
    shapes = {
        name: [layer["mark"].get("interpolate") for layer in charts[name].to_dict()["layer"]] for name in ("roc", "pr")
    }
    assert "step-before" in shapes["pr"]
    assert "linear" in shapes["roc"]


def test_robustness_goes_from_clean_to_the_strongest(charts):
    layers = charts["robustness"].to_dict()["layer"]
    assert layers[0]["encoding"]["x"]["sort"] == ["clean", "0.5", "1", "1.5", "2", "3"]
    assert [layer["mark"]["type"] for layer in layers] == ["line", "line", "line", "rule"]
    assert [layer["encoding"]["y"]["field"] for layer in layers] == ["accuracy", "confidence", "accuracy", "low"]
    assert layers[1]["mark"]["strokeDash"]
    assert len(charts["robustness of all alike"].to_dict()["layer"]) == 1


def test_ranking_puts_the_best_on_top(charts, answers):
    order = charts["ranking"].to_dict()["layer"][0]["encoding"]["y"]["sort"]
    assert order == [answers.titles[name] for name in ("able", "fair", "weak")]


def test_the_confusion_chart_offers_its_cells_to_a_click(charts):
    for name in ("counts", "difference"):
        params = charts[name].to_dict()["params"]
        pick = next(param for param in params if param["name"] == figures.CELL)
        assert pick["select"]["fields"] == ["actual", "predicted"]


def test_the_chosen_cell_is_framed(charts):
    table = charts["counts"].data
    framed = table[table["frame"] == "yes"]
    assert framed[["actual", "predicted"]].to_numpy().tolist() == [["fear", "sad"]]
    assert (charts["difference"].data["frame"] == "no").all()


def test_an_expression_without_faces_shows_a_dash(answers):
    cells = comparison.confusion_cells(answers, "weak")
    cells.loc[cells["actual"] == "disgust", ["count", "rate"]] = [0, float("nan")]
    chart = figures.confusion_chart(cells, "rates")
    assert set(chart.data[chart.data["actual"] == "disgust"]["words"]) == {"–"}
    assert isinstance(chart.to_dict(), dict)


def test_models_have_colours_of_their_own():
    assert not set(MODEL_COLORS) & set(COLORS.values())
    many = [f"model {number}" for number in range(20)]
    scale = model_color(many).to_dict()["scale"]
    assert len(scale["range"]) == len(scale["domain"]) == 20


def test_a_key_names_what_is_shown_in_the_colours_of_the_charts_beside_it(answers):
    models = [*answers.titles.values(), "without curves"]
    assert len(models) > 2
    key = model_key(models, models[1:2]).to_dict()["encoding"]["color"]
    history = pd.DataFrame({"model": models[1:2], "epoch": [1], "what": "loss", "faces": "training", "value": [1.0]})
    drawn = figures.training_chart(history, "loss", key=models).to_dict()["layer"][0]["encoding"]["color"]
    assert key["legend"]["values"] == models[1:2]
    assert drawn["legend"] is None
    assert key["scale"] == drawn["scale"]
    assert drawn["scale"]["range"][drawn["scale"]["domain"].index(models[1])] == MODEL_COLORS[1]


def test_growing_curves_keep_their_axis_and_mark_every_epoch():
    history = pd.DataFrame({"epoch": [0, 1], "loss": [1.9, 1.7], "accuracy": [0.2, 0.3], "val_accuracy": [0.25, 0.26]})
    curves = comparison.training_curves(history, "A run", "run-1")
    assert curves["epoch"].tolist() == [1, 2] * 3
    assert set(curves[curves["what"] == "accuracy"]["faces"]) == {"training", "hold-out"}
    growing, whole = (figures.training_chart(curves, "accuracy", epochs).to_dict() for epochs in (15, None))
    assert growing["layer"][0]["encoding"]["x"]["scale"]["domain"] == [1, 15]
    assert [layer["mark"]["type"] for layer in growing["layer"]] == ["line", "point"]
    assert len(growing["datasets"][growing["data"]["name"]]) == 4
    assert "scale" not in whole["layer"][0]["encoding"]["x"]


def test_a_run_without_an_epoch_has_no_curves():
    assert comparison.training_curves(pd.DataFrame(), "A run", "run-1").empty
