import pytest

from fer_core.inference.face_table import (
    expression_runs,
    face_columns,
    face_table,
    recording_gaps,
    seconds_without_face,
    share_not_sure,
    time_shares,
    timeline_points,
)


def padded(rows):
    """A table of rows that end with the probabilities."""
    return face_table([(*row, *[None] * (len(face_columns()) - len(row))) for row in rows])


def test_share_of_the_time_in_which_a_model_is_not_sure():
    """Face 1 has 60 % for one second, 40 % for two, and 50 % for one; face 2 is always sure."""
    rows = [
        (0.0, 1, *[0.0] * 4, "happy", 0, 0, 0, 0.6, 0.4, 0, 0),
        (0.0, 2, *[0.0] * 4, "sad", 0, 0, 0, 0, 1, 0, 0),
        (1.0, 1, *[0.0] * 4, "happy", 0.3, 0.3, 0, 0.4, 0, 0, 0),
        (3.0, 1, *[0.0] * 4, "sad", 0, 0, 0, 0.4, 0.5, 0.1, 0),
    ]
    table = padded(rows)
    assert share_not_sure(table, 4.0, face=1, below=0.5) == pytest.approx(2 / 4)
    assert share_not_sure(table, 4.0, face=1, below=0.55) == pytest.approx(3 / 4)
    assert share_not_sure(table, 4.0, face=2, below=0.5) == 0
    assert share_not_sure(table, 4.0, face=3, below=0.5) == 0  # never seen


HOUR = 3600.0


def with_a_pause(frames: int):
    """One happy face, then an hour later a sad one, and in the last tenth no face; 10 frames a second."""
    parts = ((0.0, 1, "happy"), (HOUR, 2, "sad"))
    rows = [
        (start + k / 10, face, *[0.0] * 4, name, 0, 0, 0, float(name == "happy"), float(name == "sad"), 0, 0)
        for start, face, name in parts
        for k in range(frames)
    ]
    return padded([*rows, (HOUR + frames / 10,)])


def test_a_pause_of_an_hour_counts_for_nothing():
    """Ten frames a second: one second of happy, one of sad, a tenth without a face."""
    table, end = with_a_pause(10), HOUR + 1.1
    assert table["frame"].tolist() == list(range(21))
    shares = time_shares(table, end)
    together = shares[shares["face"].isna()].set_index("expression")["seconds"]
    assert together["happy"] == pytest.approx(1.0)
    assert together["sad"] == pytest.approx(1.0)
    runs = [(row.face, row.expression, row.start, row.end) for row in expression_runs(table, end).itertuples()]
    assert runs == [(1, "happy", 0.0, pytest.approx(1.0)), (2, "sad", HOUR, pytest.approx(HOUR + 1))]
    assert seconds_without_face(table, end) == pytest.approx(0.1)
    assert share_not_sure(table, end, face=1, below=1.1) == pytest.approx(1.0)
    ((start, stop),) = recording_gaps(table["seconds"].to_list(), end)
    assert (start, stop) == (pytest.approx(1.0), HOUR)


def test_an_interval_of_one_face_ends_at_a_pause():
    table = with_a_pause(10).assign(face=1, expression="happy")
    runs = [(row.start, row.end) for row in expression_runs(table, HOUR + 1.1).itertuples()]
    assert runs == [(0.0, pytest.approx(1.0)), (HOUR, pytest.approx(HOUR + 1.1))]


def test_a_long_timeline_is_thinned_to_its_means():
    rows = [(k / 10, 1, 0.0, 0.0, 9.0, 9.0, "happy", 0, 0, 0, k / 1000, 0, 0, 0) for k in range(1000)]
    points = timeline_points(padded(rows), 1, points=100)
    assert len(points) == 100
    assert points["happy"].is_monotonic_increasing
    assert points["happy"].mean() == pytest.approx(0.4995, abs=1e-3)
    assert len(timeline_points(padded(rows), 1, points=1000)) == 1000


def test_classes_may_have_any_name_of_a_column_that_is_added():
    classes = ("duration", "step", "paused", "until")
    rows = [(float(k), 1, *[0.0] * 4, "duration", 0.4, 0.3, 0.2, 0.1) for k in range(4)]
    table = face_table([(*row, *[None] * (len(face_columns(classes)) - len(row))) for row in rows], classes)
    assert share_not_sure(table, 4.0, face=1, below=0.41, classes=classes) == 1
    points = timeline_points(table, 1, classes=classes)
    assert points[[*classes]].iloc[3].tolist() == [0.4, 0.3, 0.2, 0.1]


def test_a_timeline_of_few_frames_is_thinned_over_all_of_them():
    rows = [(5.0 * k, 1, 0.0, 0.0, 9.0, 9.0, "happy", 0, 0, 0, k / 3, 0, 0, 0) for k in range(3)]
    points = timeline_points(padded(rows), 1, points=2)
    assert points["seconds"].tolist() == [0, 7.5]


def test_a_thinned_timeline_has_no_point_in_a_pause():
    table = with_a_pause(1000).assign(face=1)
    points = timeline_points(table, 1, points=100)
    assert 100 <= len(points) <= 101
    assert not points["seconds"].between(100.0, HOUR).any()
    assert (points["seconds"] < 100).sum() == pytest.approx(50, abs=1)


@pytest.mark.parametrize(
    ("times", "end", "gaps"),
    [
        ([0, 0.1, 0.2, 1.2, 1.3], 1.4, []),  # a screen recording, where nothing moved for a second
        ([0, 5, 10, 15, 20], 25, []),  # slides, or one frame every five seconds
        ([0, 5, 9, 40, 45], 50, [(13, 40)]),
        ([0, 0.1, 0.2], 100, [(0.3, 100)]),  # the last frame
        ([0, 0.1, 3600], 3600.1, [(0.2, 3600)]),
        ([0, 5], 5.1, []),  # one frame every five seconds, and the film ends after the second
        ([0, 5, 10], 10.0, []),
        ([0], 0.1, []),
        ([], 0.0, []),
    ],
)
def test_only_long_and_unusual_steps_are_gaps(times, end, gaps):
    assert recording_gaps(times, end) == [(pytest.approx(start), pytest.approx(stop)) for start, stop in gaps]
