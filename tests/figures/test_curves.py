import numpy as np
import pandas as pd
import pytest

from fer_core.faces import DEGRADATIONS
from fer_core.figures import curves as charts
from fer_core.measuring.results import training_curves
from fer_core.measuring.robustness import robustness_curves, robustness_table
from fer_core.metrics.calibration import reliability_table
from fer_core.metrics.curves import curve_table, curves_of, threshold_table


@pytest.fixture(scope="module")
def curves(answers):
    return curve_table(answers)


def roc_pr(answers, curves, **settings):
    points = threshold_table(answers, "fear", 0.4)
    roc, pr = (curves_of(curves, kind, "fear") for kind in ("roc", "pr"))
    return charts.roc_pr_chart(roc, pr, points=points, **settings)


def drawn(figure, name, axis, mode):
    (trace,) = [t for t in figure.data if t.name == name and t.xaxis == axis and t.mode == mode]
    return trace


def test_both_curves_and_the_points_at_the_threshold(answers, curves):
    """Between recalls, precision is not interpolated: the class prior's curve would run straight down from 100 %."""
    figure = roc_pr(answers, curves)
    at = threshold_table(answers, "fear", 0.4).set_index("model").loc[answers.titles["fair"]]
    roc, pr = (drawn(figure, answers.titles["fair"], axis, "markers") for axis in ("x", "x2"))
    assert (roc.x[0], roc.y[0]) == (at["fpr"], at["tpr"])
    assert (pr.x[0], pr.y[0]) == (at["recall"], at["precision"])
    line = drawn(figure, answers.titles["fair"], "x", "lines")
    table = curves_of(curves, "roc", "fear")
    table = table[table["name"] == "fair"]
    np.testing.assert_allclose(line.x, table["x"], atol=1e-7)
    np.testing.assert_allclose(line.customdata, table["threshold"], atol=1e-7)
    assert line.line.shape == "linear"
    assert drawn(figure, answers.titles["fair"], "x2", "lines").line.shape == "vh"


def test_models_differ_by_dash_and_symbol_and_have_one_entry_in_the_legend(answers, curves):
    figure = roc_pr(answers, curves)
    lines = [drawn(figure, title, "x", "lines").line for title in answers.titles.values()]
    marks = [drawn(figure, title, "x", "markers").marker for title in answers.titles.values()]
    for looks in ([line.color for line in lines], [line.dash for line in lines], [mark.symbol for mark in marks]):
        assert len(set(looks)) == len(answers.titles)
    for title in answers.titles.values():
        own = [trace for trace in figure.data if trace.name == title]
        assert len(own) == 4
        assert len({trace.legendgroup for trace in own}) == 1
        assert sum(bool(trace.showlegend) for trace in own) == 1


def test_the_emphasized_model_is_drawn_at_first_and_on_top(answers, curves):
    able, fair, weak = (answers.titles[name] for name in ("able", "fair", "weak"))
    figure = roc_pr(answers, curves, focus=weak, front=[able])
    lines = {title: drawn(figure, title, "x", "lines") for title in (able, fair, weak)}
    assert {title: line.visible for title, line in lines.items()} == {able: True, fair: "legendonly", weak: True}
    assert lines[weak].zorder > lines[able].zorder


def test_plots_stand_side_by_side_or_below_one_another_without_markup(answers, curves):
    wide, narrow = (roc_pr(answers, curves, narrow=narrow).layout.grid for narrow in (False, True))
    assert (wide.rows, wide.columns, narrow.rows, narrow.columns) == (1, 2, 2, 1)
    table = curves_of(curves, "roc", "fear").assign(model='<a href="x">evil</a>')
    figure = charts.roc_pr_chart(table, table, points=threshold_table(answers, "fear", 0.4).head(0))
    assert "<a" not in figure.to_json()


def test_reliability_shows_the_bins_and_intervals_of_the_emphasized_model(answers):
    bins, title = reliability_table(answers), answers.titles["fair"]
    figure = charts.reliability_chart(bins, title)
    own = bins[bins["model"] == title]
    (line,) = [trace for trace in figure.data if trace.name == title]
    np.testing.assert_array_equal(line.y, own["accuracy"])
    assert list(line.hovertext) == [f"{100 * share:.1f} %" for share in own["accuracy"]]
    np.testing.assert_allclose(np.asarray(line.y) + line.error_y.array, own["high"])
    assert all(trace.error_y.array is None for trace in figure.data if trace.name != title)
    (bars,) = charts.confidence_bars(own).data
    assert (np.asarray(bars.x) - np.asarray(bars.width) / 2 >= own["from"]).all()
    assert sum(bars.y) == pytest.approx(1)


def test_robustness_goes_from_clean_to_the_strongest_in_five_plots(models):
    table, _, _ = robustness_table(models)
    focus, titles = models[1].title, {kind: (one.title, one.unit) for kind, one in DEGRADATIONS.items()}
    curves = {kind: robustness_curves(table, kind) for kind in DEGRADATIONS}
    figure = charts.robustness_chart(curves, titles, focus=focus)
    assert [note.text for note in figure.layout.annotations] == [f"<b>{title}</b>" for title, _ in titles.values()]
    place = list(DEGRADATIONS).index("blur") + 1
    assert figure.layout[f"xaxis{place}"].ticktext == ("clean", "0.5", "1", "1.5", "2", "3")
    confidence, accuracy = [t for t in figure.data if t.name == focus and t.xaxis == f"x{place}"]
    rows = robustness_curves(table, "blur").query("model == @focus").sort_values("strength")
    np.testing.assert_array_equal(accuracy.y, rows["accuracy"])
    np.testing.assert_array_equal(confidence.y, rows["confidence"])
    assert (accuracy.line.dash, confidence.line.dash) == ("solid", "dash")
    assert len(charts.robustness_chart({"blur": curves["blur"]}, {"blur": titles["blur"]}).data) == len(models)


def test_growing_curves_keep_their_axis_and_mark_every_epoch():
    history = pd.DataFrame({"epoch": [0, 1], "loss": [1.9, 1.7], "accuracy": [0.2, 0.3], "val_accuracy": [0.25, 0.26]})
    curves = training_curves(history, "A run", "run-1")
    assert curves["epoch"].tolist() == [1, 2] * 3
    assert set(curves[curves["what"] == "accuracy"]["faces"]) == {"training", "hold-out"}
    growing, whole = (charts.training_chart(curves, epochs=epochs) for epochs in (15, None))
    low, high = growing.layout.xaxis.range
    assert low < 1 and 15 < high < 16
    assert whole.layout.xaxis.range is None
    held, trained = [trace for trace in growing.data if trace.xaxis == "x"]
    assert (list(held.y), list(trained.y)) == ([0.25, 0.26], [0.2, 0.3])
    assert held.line.dash != trained.line.dash
    assert training_curves(pd.DataFrame(), "A run", "run-1").empty
