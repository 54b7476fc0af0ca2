"""Which stacks exist, for each service in each environment and region.

    network ──┬── edge ──┬── storefront
              └── data ──┴── orders

To add a service: a file beside this one, a field in `settings.models.Services`, an `if` and a `yield` here.
"""

from collections.abc import Iterable

from constructs import Construct

from holdfast_constructs import ServiceStack
from holdfast_stacks.data import Data
from holdfast_stacks.edge import Edge
from holdfast_stacks.network import Network
from holdfast_stacks.orders import Orders
from holdfast_stacks.settings import Environment
from holdfast_stacks.site import Site
from holdfast_stacks.storefront import Storefront

# What every service depends on. These and those of the settings are all services there are.
PLATFORM = ("network", "edge", "data")


def build(scope: Construct, environments: Iterable[Environment]) -> tuple[ServiceStack, ...]:
    """Create every stack of these environments in `scope`, and return them, producers first."""
    sites = [Site(env, region) for env in environments for region in env.regions]
    return tuple(stack for site in sites for stack in _site(scope, site))


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
