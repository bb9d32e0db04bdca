"""A section of Compare or of the report: title, charts, table and words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pandas as pd
import plotly.graph_objects as go

from fer_core.columns import PERCENT, Columns, percent


@dataclass(frozen=True, eq=False)
class Chart:
    """One chart of a section."""

    name: str  # of letters, digits, `_` and `-`; unique in a report; its pictures have this name
    alt: str  # alternative text
    draw: Callable[..., go.Figure]  # returns the figure, for a phone with `narrow=True` if it adapts
    adapts: bool = True  # whether the figure for narrow screens is another one
    heading: str = ""  # above the chart in a report
    width: int = 1040  # of a picture in pixels


@dataclass(frozen=True, eq=False)
class Section:
    """One view of results."""

    title: str  # its heading in a report
    answer: str  # what the charts show, in a sentence with its numbers
    charts: list[Chart]  # none if there is nothing to show
    caption: str = ""  # what the charts show, as plain text
    table: pd.DataFrame = field(default_factory=pd.DataFrame)  # all numbers; empty for none
    alt: str = ""  # a description of the table
    columns: Columns | None = None  # those of the table that are shown
    explained: str = ""  # the title of the explanation of the chart
    example: str = ""  # a sentence with numbers of these results, for this explanation

    @property
    def titles(self) -> dict[str, str]:
        """The title of each column that is shown."""
        columns = (self.columns or {}).items()
        return {name: title if isinstance(title, str) else title[0].strip() for name, title in columns}

    @property
    def texts(self) -> pd.DataFrame:
        """The table with shares as text, such as "66.7 %"."""
        shares = [name for name, title in (self.columns or {}).items() if title[1:] == (PERCENT,)]
        return self.table.assign(**{name: [percent(value, ".1%") for value in self.table[name]] for name in shares})
