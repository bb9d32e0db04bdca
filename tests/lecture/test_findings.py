import pandas as pd

from fer_core.lecture import findings

CELLS = pd.DataFrame(
    [("sad", "sad", 6, 0.6), ("sad", "fear", 4, 0.4), ("fear", "fear", 9, 0.9), ("fear", "sad", 1, 0.1)],
    columns=["actual", "predicted", "count", "rate"],
)


def test_sentences_of_numbers_worked_out_by_hand():
    assert findings.votes_in_words(CELLS) == (
        "Most annotators give the label to 75 % of the faces, but only to 60 % of those labelled sad."
    )
    assert findings.confusion_in_words(CELLS) == "Of 100 sad faces, 40 are taken for fear."
    measured = pd.DataFrame({"model": ["A", "B"], "accuracy": [0.5, 0.7]})
    assert findings.accuracy_in_words(measured) == "B agrees with most annotators on 70 % of the test faces."
    rows = [("dark", "sad", 0.5), ("bright", "sad", 0.6), ("dark", "fear", 0.2), ("bright", "fear", 0.7)]
    rates = pd.DataFrame(rows, columns=["group", "expression", "value"]).assign(rate="recall", compared=True)
    assert findings.gap_in_words(rates, "Brightness") == (
        "Brightness dark: fear is found in 20 % of the faces; bright: in 70 %."
    )
