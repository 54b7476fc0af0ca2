"""Where the provider of each planned object works, as far as a plan tells."""

from collections.abc import Mapping
from typing import Any

from holdfast_orchestrator.terraform.addresses import configuration_address

_ELSEWHERE = ("assume_role", "assume_role_with_web_identity", "profile", "access_key")


def region_of(plan: Mapping[str, Any], address: str) -> tuple[str | None, bool]:
    """Return the region of an object's provider, and whether it may work in another account than the shard's.

    The region is None where it is not written down as a constant.
    """
    configuration = plan.get("configuration") or {}
    providers = configuration.get("provider_config") or {}
    provider = providers.get(_provider_of(configuration, address), providers.get("aws")) or {}
    expressions = provider.get("expressions") or {}
    region = (expressions.get("region") or {}).get("constant_value")
    return (str(region) if region else None), any(name in expressions for name in _ELSEWHERE)


def _provider_of(configuration: Mapping[str, Any], address: str) -> str:
    block = configuration_address(address)
    resources = (configuration.get("root_module") or {}).get("resources") or ()
    keys = (str(each.get("provider_config_key")) for each in resources if each.get("address") == block)
    return next(keys, "aws")
