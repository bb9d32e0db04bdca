import numpy as np
import pandas as pd
import pytest

from fer_core.figures.bars import class_distribution
from fer_core.figures.matrices import pixel_chart
from fer_core.labels import COLORS, EXPRESSIONS

COUNTS = pd.DataFrame([[1, 2, 3, 4, 5, 6, 7], [7, 0, 0, 0, 0, 0, 7]], ["Training", "PublicTest"], list(EXPRESSIONS))


def test_a_bar_for_each_expression_and_split():
    training, public, *in_legend = class_distribution(COUNTS).data
    assert [bar.name for bar in in_legend] == ["Training", "PublicTest"]
    assert [bar.marker.pattern.shape for bar in in_legend] == [
        training.marker.pattern.shape,
        public.marker.pattern.shape,
    ]
    # A colour of its own for the lines would vanish on a page of this colour, in the legend first of all
    assert not any(bar.marker.pattern.fgcolor for bar in (training, public, *in_legend))
    assert (training.name, public.name) == ("Training", "PublicTest")
    assert list(training.y) == [1, 2, 3, 4, 5, 6, 7]
    assert dict(zip(training.x, training.marker.color, strict=True)) == COLORS
    assert training.marker.pattern.shape != public.marker.pattern.shape
    shares = class_distribution(COUNTS, shares=True).data[1]
    assert list(shares.y) == [0.5, 0, 0, 0, 0, 0, 0.5]


def test_every_pixel_shows_its_number_the_right_way_up():
    face = np.arange(48 * 48, dtype=np.uint8).reshape(48, 48)
    figure = pixel_chart(face)
    np.testing.assert_array_equal(figure.data[0].z, face)
    assert figure.data[0].texttemplate == "%{z}"
    assert figure.layout.yaxis.range == (47.5, -0.5)
    with pytest.raises(ValueError, match="Received: \\(48, 48, 3\\)"):
        pixel_chart(np.zeros((48, 48, 3), np.uint8))
