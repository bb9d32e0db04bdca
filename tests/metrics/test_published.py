from fer_core.metrics.paper import PUBLISHED


def test_every_claim_is_a_percentage_with_its_source():
    for one in PUBLISHED:
        assert 50 < one.claimed < 100
        assert "20" in one.source  # a year
        assert "](https://" in one.source
        assert bool(one.reproduced) == ("](https://" in one.reproduced_source)


def test_the_reproductions_that_users_report_are_lower():
    known = {one.what: one for one in PUBLISHED}
    for name, reported in (("ResEmoteNet", "65.9"), ("Residual Masking Network (RMN)", "65.6")):
        assert known[name].reproduced.startswith(reported)
