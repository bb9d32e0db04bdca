"""Published accuracies on FER2013's PrivateTest by its own label, and what others could reproduce. Nothing is ours."""

from __future__ import annotations

from typing import Final, NamedTuple


class PublishedResult(NamedTuple):
    """One claim.

    Attributes:
        what: method or people.
        claimed: accuracy in percent, as its authors report it.
        reproduced: what others report, in words; empty if we know of no report.
        source: of the claim, as Markdown with a link.
        reproduced_source: of the reports, likewise.
    """

    what: str
    claimed: float
    reproduced: str
    source: str
    reproduced_source: str = ""


_RMN: Final = "https://github.com/phamquiluan/ResidualMaskingNetwork/issues"
_RESEMOTENET: Final = "https://github.com/ArnabKumarRoy02/ResEmoteNet/issues"


def _arxiv(number: str) -> str:
    return f"[arXiv:{number}](https://arxiv.org/abs/{number})"


PUBLISHED: Final[tuple[PublishedResult, ...]] = (
    PublishedResult("People", 65.0, "", f"Goodfellow et al. 2013: 65 ± 5 %, {_arxiv('1307.0414')}"),
    PublishedResult("Winner of the challenge (SVM loss)", 71.16, "", f"Tang 2013, {_arxiv('1306.0239')}"),
    PublishedResult("VGG", 72.7, "", f"Pramerdorfer and Kampel 2016, {_arxiv('1612.02903')}"),
    PublishedResult("Ensemble of eight networks", 75.2, "", f"Pramerdorfer and Kampel 2016, {_arxiv('1612.02903')}"),
    PublishedResult("VGGNet", 73.28, "", f"Khaireddin and Chen 2021, {_arxiv('2105.03588')}"),
    PublishedResult(
        "Residual Masking Network (RMN)",
        74.14,
        "65.6, 69.1 and 73.6 %, trained by users",
        "Pham, Vu and Tran 2021 (ICPR), [IEEE 9411919](https://ieeexplore.ieee.org/document/9411919)",
        f"its GitHub issues [9]({_RMN}/9) and [41]({_RMN}/41)",
    ),
    PublishedResult(
        "ResEmoteNet",
        79.79,
        "65.9 and 71.6 %, by users with the authors’ weights",
        f"Roy, Kathania, Sharma, Dey and Ansari 2024, {_arxiv('2409.10545')}",
        f"its GitHub issues [46]({_RESEMOTENET}/46) and [13]({_RESEMOTENET}/13)",
    ),
)
