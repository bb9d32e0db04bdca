import numpy as np
import pandas as pd
import pytest

from fer_core.figures import matrices
from fer_core.labels import EXPRESSIONS
from fer_core.metrics.confusion import confusion_cells, difference_cells
from fer_core.metrics.significance import both_ways, pair_table


@pytest.fixture(scope="module")
def cells(answers):
    return confusion_cells(answers, "weak")


def texts(figure) -> dict[tuple[str, str], str]:
    marks = figure.data[1]
    return {(row, column): word for row, column, word in zip(marks.y, marks.x, marks.text, strict=True)}


@pytest.mark.parametrize("values", ["counts", "rates"])
def test_a_click_gives_the_cell_that_is_drawn_there(cells, values):
    heat, marks = matrices.confusion_chart(cells, values).data
    assert len(marks.x) == 49
    for column, row, about in zip(marks.x, marks.y, marks.customdata, strict=True):
        assert (row, column) == tuple(about[:2])
    at = cells.set_index(["actual", "predicted"])
    assert texts(matrices.confusion_chart(cells, "counts"))["fear", "sad"] == f"{at.loc[('fear', 'sad'), 'count']:,}"
    np.testing.assert_array_equal(heat.z, cells["rate"])
    assert marks.marker.opacity == 0
    assert [color == "#FFFFFF" for color in marks.textfont.color] == (cells["rate"] > 2 / 3).tolist()  # on full cells


def test_expressions_stand_in_the_projects_order_and_the_chosen_cell_is_framed(cells):
    layout = matrices.confusion_chart(cells, "rates").layout
    assert layout.yaxis.categoryarray == layout.xaxis.categoryarray == EXPRESSIONS
    assert (layout.yaxis.range, layout.xaxis.range) == ((6.5, -0.5), (-0.5, 6.5))
    assert not layout.shapes
    (frame,) = matrices.confusion_chart(cells, "counts", chosen=("fear", "sad")).layout.shapes
    assert (frame.y0 + frame.y1) / 2 == EXPRESSIONS.index("fear")
    assert (frame.x0 + frame.x1) / 2 == EXPRESSIONS.index("sad")


def test_differences_have_signs(answers):
    cells = difference_cells(answers, "able", "weak")
    words = texts(matrices.confusion_chart(cells, "counts", difference=True))
    for row in cells.itertuples():
        assert words[row.actual, row.predicted] == (f"{row.count:+,}" if row.count else "0")
    cells.loc[cells["actual"] == "disgust", ["count", "rate"]] = [0, float("nan")]  # an expression without faces
    figure = matrices.confusion_chart(cells, "rates", difference=True)
    assert {texts(figure)["disgust", name] for name in EXPRESSIONS} == {"–"}
    assert figure.data[0].zmin == -figure.data[0].zmax


def test_pairs_are_signed_and_only_significant_ones_are_coloured():
    pairs = {"second": ["b"], "difference": [0.1], "low": [0.05], "high": [0.15], "p_holm": [0.2], "clear": [False]}
    table = pd.DataFrame({"first": ["a"], **pairs, "words": ["(+10.0)"], "only_first": [9], "only_second": [3]})
    heat, marks = matrices.pair_matrix(table, ["a", "b"]).data
    assert (list(marks.y), list(marks.x), list(marks.text)) == (["1"], ["2"], ["(+10.0)"])
    coloured = matrices.pair_matrix(table.assign(clear=True), ["a", "b"]).data[0]
    assert (list(heat.z), list(coloured.z)) == ([0.0], [0.1])
    names = [f"m{number}" for number in range(14)]
    row = table.iloc[0].to_dict()
    both = pd.DataFrame([row | {"first": a, "second": b} for a in names for b in names if a != b])
    wide, narrow = (matrices.pair_matrix(both, names, narrow=narrow).layout.xaxis for narrow in (False, True))
    assert wide.tickvals == narrow.categoryarray == tuple(str(number) for number in range(1, 15))
    assert narrow.tickvals == ("1", "3", "5", "7", "9", "11", "13")


def test_rows_of_the_pair_matrix_name_the_models_and_number_the_columns(answers):
    order = [answers.titles[name] for name in ("able", "fair", "weak")]
    both = both_ways(pair_table(answers))
    layout = matrices.pair_matrix(both, order).layout
    for number, (title, shown) in enumerate(zip(order, layout.yaxis.ticktext, strict=True), 1):
        assert shown.endswith(f"<b>{number}</b>")
        assert title.split()[0] in shown
    assert matrices.pair_matrix(both, order, narrow=True).data[1].mode == "markers"


def test_every_pixel_shows_its_number_the_right_way_up():
    face = np.arange(48 * 48, dtype=np.uint8).reshape(48, 48)
    figure = matrices.pixel_chart(face)
    np.testing.assert_array_equal(figure.data[0].z, face)
    assert figure.data[0].texttemplate == "%{z}"
    assert figure.layout.yaxis.range == (47.5, -0.5)
    with pytest.raises(ValueError, match="Received: \\(48, 48, 3\\)"):
        matrices.pixel_chart(np.zeros((48, 48, 3), np.uint8))


def test_cells_have_their_numbers_in_readable_ink():
    figure = matrices.number_grid(np.array([[-1.0, 0.999], [-0.001, 0.25]]), -1, high=1)
    words = [(note.text, note.font.color) for note in figure.layout.annotations]
    dark, light = "#FFFFFF", "#000000"
    assert words == [("−1.00", dark), ("1.00", light), ("0.00", dark), ("0.25", light)]
    assert matrices.number_grid(np.array([[-103.9]]), -123, high=151).layout.annotations[0].text == "−104"
    with pytest.raises(ValueError, match="rows, columns"):
        matrices.number_grid(np.zeros(3), 0, high=1)
    with pytest.raises(ValueError, match="above"):
        matrices.number_grid(np.zeros((2, 2)), 1, high=1)
