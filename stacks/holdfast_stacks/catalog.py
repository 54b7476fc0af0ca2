"""Which stacks exist, for each service in each environment and region, and what each refers to.

    network ──┬── edge ──┬── storefront
              └── data ──┴── orders

To add a service: a file beside this one, a field in `settings.models.Services`, and a line here.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from constructs import Construct

from holdfast_constructs import ServiceStack
from holdfast_stacks.data import Data
from holdfast_stacks.edge import Edge
from holdfast_stacks.network import Network
from holdfast_stacks.orders import Orders
from holdfast_stacks.settings import Environment
from holdfast_stacks.site import Site
from holdfast_stacks.storefront import Storefront

# The services each refers to; cdktf's manifest says the same of the stacks once they are synthesized.
REFERS_TO: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "network": (),
        "edge": ("network",),
        "data": ("network",),
        "storefront": ("edge", "network"),
        "orders": ("data", "edge", "network"),
    }
)


def build(scope: Construct, environments: Iterable[Environment]) -> tuple[ServiceStack, ...]:
    """Create every stack of these environments in `scope`, and return them, producers first."""
    sites = [Site(env, region) for env in environments for region in env.regions]
    return tuple(stack for site in sites for stack in _site(scope, site))


def with_references(services: Iterable[str]) -> frozenset[str]:
    """Return these services and all they refer to, directly or not."""
    found = frozenset(services)
    return found.union(*(with_references(REFERS_TO[service]) for service in found))


def _site(scope: Construct, site: Site) -> Iterable[ServiceStack]:
    services, databases = site.env.services, site.env.databases()
    network = Network(scope, site)
    edge = Edge(scope, site, base=network)
    yield from (network, edge)
    if services.storefront is not None:
        yield Storefront(scope, site, services.storefront, platform=edge.platform)
    if databases:
        data = Data(scope, site, base=network)
        yield data
    if services.orders is not None:
        yield Orders(scope, site, services.orders, platform=edge.platform, database=data.databases["orders"])
