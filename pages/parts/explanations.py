"""What metrics, curves and maps mean: a definition, how to read them, a trap, and an example from the page."""

from __future__ import annotations

from typing import Final, NamedTuple

import streamlit as st

from fer_core.metrics.core import METRICS
from pages.parts.common import plain


class Explanation(NamedTuple):
    """What a popover says about one metric or chart."""

    definition: str
    reading: str
    trap: str


EXPLANATIONS: Final[dict[str, Explanation]] = {
    "Probabilities": Explanation(
        "The model’s answer to each of the seven expressions, from a softmax: all are positive, and they add up to "
        "100 %. The largest is the prediction, and its value the confidence.",
        "Compare the first with the second: 45 % against 40 % is hardly a decision.",
        "They describe the picture of a face, not what the person feels. Whether 80 % means right in 80 % of cases is "
        "measured under Compare models, Calibration.",
    ),
    "Activation map": Explanation(
        "How much each place of the face adds to an expression’s score before the softmax (its logit), compared with "
        "the mean of all seven, or with one other. For these models it is exact: the mean over all places is the "
        "difference of the scores.",
        "All seven expressions of a face share one scale: the strongest evidence for any of them is brightest, and an "
        "expression that little speaks for stays dark. Against one other, the largest difference between any two has "
        "the full colour.",
        "A cell sees much of the face, not only what lies under it. Bright shows where the evidence is, not what it "
        "is, and not what the person feels. Do not compare the brightness of two faces or two models.",
    ),
    "Occlusion map": Explanation(
        "A gray square of 14 × 14 pixels is centred on each of 12 × 12 places of the 48 × 48 pixels. Each place shows "
        "how far the probability falls while it is covered.",
        "Bright places matter. All seven expressions share one scale, whose end is the largest fall of any of them, "
        "at least 10 points: a prediction that no square changes much stays dark.",
        "Squares overlap, so the map is blurred, and at the border they cover less. A gray square is itself something "
        "that no face has, and two places that say the same can each be covered without a fall.",
    ),
    "Gap between groups": Explanation(
        "The difference between the groups with the highest and the lowest rate. Recall is the share of an "
        "expression’s faces that are predicted as it, precision the share of right ones among its predictions, "
        "“predicted as” the share of all faces.",
        "p is how often groups dealt out at random would show a gap as large. Holm’s correction keeps the chance of a "
        "false alarm among all gaps of the table at 5 %.",
        "With more groups, the largest gap grows by chance alone. Its interval does not know that; p does.",
    ),
    "F1": Explanation(
        "The harmonic mean of precision (of the predictions of an expression, the share that is correct) and recall "
        "(of its faces, the share that is found).",
        "1 is perfect. It is high only if both precision and recall are high.",
        "It depends on how frequent the expression is, so it cannot be compared between differently mixed datasets.",
    ),
    "Precision": Explanation(
        "Of the faces that are predicted as an expression, the share that shows it: true positives / (true positives + "
        "false positives).",
        "1 is perfect. It usually rises with the threshold.",
        "A high threshold can give a high precision with few predictions. Read it together with recall.",
    ),
    "Recall": Explanation(
        "Of the faces that show an expression, the share that is predicted as it: true positives / (true positives + "
        "false negatives). This is also called the true positive rate.",
        "1 is perfect. It falls as the threshold rises.",
        "With a threshold of 0 every face is predicted, and recall is 1. Read it together with precision.",
    ),
    "True / false positives": Explanation(
        "True positives are faces that are predicted as the expression and show it; false positives are predicted as "
        "it and show another one.",
        "A lower threshold gives more of both.",
        "A small false positive rate of many faces can still be more faces than all true positives.",
    ),
    "ROC and precision-recall curves": Explanation(
        "How the rates change with the threshold from which an expression is predicted. ROC: true positive rate "
        "against false positive rate. The other: precision against recall.",
        "ROC: the nearer to the top left, the better; the dashed diagonal is chance. Precision and recall: the nearer "
        "to the top right, the better.",
        "For rare expressions a ROC curve looks good although most predictions are false positives; the "
        "precision-recall curve shows that.",
    ),
    "Log loss": Explanation(
        "The mean of −log(probability of the true expression) over the faces, with the natural logarithm.",
        "Lower is better, and 0 is perfect. The same probability for all seven expressions gives log 7 = 1.946.",
        "A few confident mistakes can dominate it: a true expression with a probability of 1 % counts as 4.6.",
    ),
    "Brier score": Explanation(
        "The squared differences between the seven probabilities and the truth (1 for the true expression, 0 for the "
        "others), summed for each face, then averaged over the faces.",
        "Lower is better: 0 is perfect, 2 is always certain and always wrong.",
        "It mixes calibration with how often the model is right. A poor, well calibrated model has a high score.",
    ),
    "Calibration error (ECE)": Explanation(
        "The mean distance between accuracy and mean confidence in 15 bins of confidence, weighted by their number of "
        "faces (expected calibration error).",
        "Lower is better. Compare it with its noise floor, which even a perfectly calibrated model has.",
        "It depends on the bins, and says nothing about how often the model is right.",
    ),
    "Noise floor of the ECE": Explanation(
        "The mean ECE of a perfectly calibrated model with the same confidences, from 1,000 draws of labels.",
        "An ECE above the range of 95 % of the draws is evidence of bad calibration.",
        "The floor falls with more faces, so calibration errors on datasets of other sizes cannot be compared.",
    ),
    "Reliability diagram": Explanation(
        "Faces are sorted into bins by confidence; each point shows the accuracy and the mean confidence of a bin.",
        "On the dashed line, predictions made with 80 % confidence are correct in 80 % of cases. Below it a model is "
        "overconfident. A temperature T above 1 lowers all confidences, below 1 raises them.",
        "A model can be well calibrated and still be poor: always answering the class frequencies is calibrated. T is "
        "fitted to the log loss on other faces; on these, log loss and ECE can rise with it.",
    ),
    "Robustness": Explanation(
        "Accuracy on the same faces with noise, blur, low resolution, low light or occlusion of increasing strength.",
        "The flatter a curve, the better a model keeps up. Where the dashed confidence is above the accuracy, the "
        "model does not notice how often it is wrong.",
        "These are simulations. Real cameras combine several, and compress the picture as well.",
    ),
    "Map of faces": Explanation(
        "The model turns each face into a list of numbers (its pooled features) and decides from these. PCA and t-SNE "
        "arrange the faces in two dimensions so that faces with similar numbers are near each other.",
        "Look at small neighbourhoods: faces next to each other look alike to the model. Where colours mix, it cannot "
        "tell these expressions apart well.",
        "Axes, distances between groups, and the size and shape of groups mean nothing. Two dimensions cannot keep all "
        "neighbours, and the model has seen some of these pictures in training, because FER2013 has copies.",
    ),
    "McNemar’s test": Explanation(
        "A test of two models on the same faces. Only faces that exactly one of them classifies correctly count.",
        "A small p means that such a difference would be rare between equally good models. Holm’s correction keeps "
        "the risk of any false alarm over all pairs below 5 %.",
        "Significant does not mean large, and not significant does not mean equal. Look at the interval. Both cover "
        "which test faces were drawn, not the training: the same recipe with another seed gives another model, which "
        "may differ as much.",
    ),
    "Importance of a setting": Explanation(
        "The share of the differences in accuracy between trials that a setting explains (fANOVA, Hutter et al. 2014).",
        "A large share means that the setting should be chosen with care.",
        "With few trials it is uncertain, and it holds only for the values that were tried.",
    ),
    "Training curves": Explanation(
        "Accuracy and loss after every epoch (one pass over the training faces), on the training faces and on the "
        "hold-out, which is not trained on.",
        "While the hold-out’s curve improves, the model still learns something general. If only the training curve "
        "improves, it overfits.",
        "Losses of different recipes (label smoothing, distillation, two targets) cannot be compared.",
    ),
    "Confusion matrix": Explanation(
        "Rows are actual expressions, columns predicted ones. The diagonal is correct; the rest of a row is where "
        "faces of that expression are lost (false negatives), the rest of a column what is wrongly given to it (false "
        "positives).",
        "Read a row: of 100 faces of this expression, how many get each answer.",
        "Colours show shares of the row, so a dark cell can mean few faces. Switch to counts to see.",
    ),
}
"""By the title of the popover; those of metrics are in `fer_core.metrics.core.METRICS`."""


def explain(name: str, example: str, label: str = "What is this?") -> None:
    """Show a popover that explains a metric or a chart.

    Args:
        name: one of `EXPLANATIONS`, or the title of a metric.
        example: a sentence with numbers that the page shows; empty if it has none yet.
        label: of the popover, where several stand in a row.
    """
    metrics = {metric.title: metric for metric in METRICS.values()}
    words = metrics.get(name) or EXPLANATIONS[name]
    with st.popover(label, icon=":material/help:", type="tertiary", key=f"explain_{name}"):
        st.markdown(
            f"**{name}**\n\n{words.definition}\n\n**How to read it.** {words.reading}\n\n**Careful.** {words.trap}"
            + (f"\n\n**Here.** {plain(example)}" if example else "")
        )


def explained_metric(name: str, value: str, example: str) -> None:
    """Show a number, and below it the popover that explains it.

    Args:
        name: one of `EXPLANATIONS`.
        value: as text.
        example: a sentence with numbers that the page shows.
    """
    with st.container(border=True, gap="xxsmall"):
        st.metric(name, value)
        explain(name, example)
