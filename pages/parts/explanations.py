"""What metrics, curves and maps mean: a definition, how to read them, a trap, and an example from the page."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final

import streamlit as st

from fer_core.metrics.core import METRICS
from pages.parts.common import plain

EXPLANATIONS: Final[dict[str, dict[str, str]]] = tomllib.loads(
    Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
)
"""By the title of the popover: `definition`, `reading` and `trap`. Those of metrics are in `METRICS`."""


def explain(name: str, example: str, label: str = "What is this?") -> None:
    """Show a popover that explains one of `EXPLANATIONS`, or the metric of this title.

    `example` is a sentence with numbers that the page shows, empty if it has none yet. `label` names the popover, where
    several stand in a row.
    """
    metric = next((metric for metric in METRICS.values() if metric.title == name), None)
    words = EXPLANATIONS[name] if metric is None else vars(metric)
    with st.popover(label, icon=":material/help:", type="tertiary", key=f"explain_{name}"):
        st.markdown(
            f"**{name}**\n\n{words['definition']}\n\n**How to read it.** {words['reading']}\n\n"
            f"**Careful.** {words['trap']}" + (f"\n\n**Here.** {plain(example)}" if example else "")
        )


def explained_metric(name: str, value: str, example: str) -> None:
    """Show a number, and below it the popover that explains it."""
    with st.container(border=True, gap="xxsmall"):
        st.metric(name, value)
        explain(name, example)
