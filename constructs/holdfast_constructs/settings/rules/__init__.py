"""What no single key can tell: rules between keys, and the rules of production.

Each rule is a pure function from an environment whose every key is fine by itself to the faults it finds.
To add one, write it in the file it belongs to and put it in that file's RULES.

    places      regions, tags
    firewall    modes, exceptions, limits, addresses
    network     networks, zones, ways in and out
    services    tasks, sizes, hosts, databases
    production  what production must not do
"""

from collections.abc import Iterator
from dataclasses import replace

from holdfast_constructs.settings.models import Environment
from holdfast_constructs.settings.problems import Fault
from holdfast_constructs.settings.rules import firewall, network, places, production, services


def broken(environment: Environment) -> Iterator[Fault]:
    """Yield every fault of an environment."""
    everywhere = (*places.RULES, *firewall.RULES, *network.RULES, *services.RULES)
    for rule in (*everywhere, *production.RULES) if environment.production else everywhere:
        yield from (_placed(fault, environment) for fault in rule(environment))


def _placed(fault: Fault, environment: Environment) -> Fault:
    """A fault of a tenant's settings: rules know them as those of the service `<service>-<tenant>`."""
    for service, tenant, _ in environment.stamped():
        if tenant is not None and fault.path[:2] == ("services", f"{service}-{tenant}"):
            return replace(fault, path=("services", service, "tenants", tenant, *fault.path[2:]))
    return fault
