"""The rules of production are in the blocks: who builds without our settings gets the same refusals."""

from collections.abc import Callable
from typing import Any

import pytest

from holdfast_constructs import ConstructError, Network, ServiceStack
from holdfast_constructs.testing import Synthesis, sample_target

OnSite = Callable[..., Synthesis]


def test_a_target_in_production_keeps_its_data_and_a_year_of_logs() -> None:
    for changes, message in (
        ({"delete_protection": False}, "delete_protection must be true in production"),
        ({"log_retention_days": 180}, "log_retention_days must be one of 365, 400"),
        ({"local": True}, "production must be False on the local cloud"),
    ):
        with pytest.raises(ConstructError, match=message):
            sample_target(**changes)
        assert sample_target(production=False, **changes)


def test_a_network_in_production_has_a_way_out_of_each_zone_or_none(on_site: OnSite) -> None:
    def build(site: Any) -> None:
        stack = ServiceStack(site.app, "more", site.target)
        Network(stack, "more", cidr="10.50.0.0/16", nat="single", logs_key=site.platform.logs_key)

    with pytest.raises(ConstructError, match="nat must be per_az in production, or none, got 'single'"):
        on_site(build)
    on_site(build, target=sample_target(production=False))
