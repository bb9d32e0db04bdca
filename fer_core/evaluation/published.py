"""Published accuracies on FER2013's PrivateTest by its own label, and what others could reproduce. Nothing is ours."""

from __future__ import annotations

from typing import Final, NamedTuple


class PublishedResult(NamedTuple):
    """One claim.

    Attributes:
        what: method or people.
        claimed: accuracy in percent, as its authors report it.
        reproduced: what others report, in words; empty if we know of no report.
        source: of the claim.
        reproduced_source: of the reports.
    """

    what: str
    claimed: float
    reproduced: str
    source: str
    reproduced_source: str = ""


PUBLISHED: Final[tuple[PublishedResult, ...]] = (
    PublishedResult("People", 65.0, "", "Goodfellow et al. 2013, “Challenges in representation learning”: 65 ± 5 %"),
    PublishedResult("Winner of the challenge (SVM loss)", 71.16, "", "Tang 2013, “Deep learning using linear SVMs”"),
    PublishedResult("VGG", 72.7, "", "Pramerdorfer and Kampel 2016, arXiv:1612.02903"),
    PublishedResult("Ensemble of eight networks", 75.2, "", "Pramerdorfer and Kampel 2016, arXiv:1612.02903"),
    PublishedResult("VGGNet", 73.28, "", "Khaireddin and Chen 2021, arXiv:2105.03588"),
    PublishedResult(
        "Residual Masking Network (RMN)",
        74.14,
        "65.6 to 73.6 %, by users",
        "Pham, Vu and Tran 2021 (ICPR)",
        "issues of phamquiluan/ResidualMaskingNetwork on GitHub",
    ),
    PublishedResult(
        "ResEmoteNet",
        79.79,
        "65.9 and 71.6 %, by users",
        "Roy, Kathania, Sharma, Dey and Ansari 2024, arXiv:2409.10545",
        "issues of ArnabKumarRoy02/ResEmoteNet on GitHub",
    ),
)
