"""Rules of networks, zones, and the ways in and out."""

from collections.abc import Iterator
from ipaddress import IPv4Network
from itertools import combinations

from holdfast_constructs.app._zones import zones_of
from holdfast_constructs.compute.image import Image
from holdfast_constructs.edge._callers import callers
from holdfast_constructs.edge._listener_options import check_tls_policy
from holdfast_constructs.edge.domain import MOST_MORE_DOMAINS
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.network import _subnets
from holdfast_constructs.network._endpoints import ENDPOINTS_FOR_FARGATE
from holdfast_constructs.settings.edge import FurtherDomain, Gateway
from holdfast_constructs.settings.models import Environment
from holdfast_constructs.settings.problems import Fault, allowed_by

# Without NAT a task reaches its secrets that are SSM parameters through this one.
ENDPOINT_FOR_PARAMETERS = "ssm"


def key_of_region(env: Environment, region: str, key: str) -> tuple[str, ...]:
    """Return the path of a key of the network of `region`."""
    return ("network", "regions", region, key) if region in env.network.regions else ("network", key)


def each_region_has_a_network(env: Environment) -> Iterator[Fault]:
    """Regions do not share a network: they could never be joined."""
    for region in env.regions:
        if not env.has_network(region):
            yield Fault(
                ("network", "regions", region),
                "is missing",
                "nothing",
                "a network of its own for each further region, so that they can be joined one day",
                f"add [network.regions.{region}] with its cidr",
            )
    networks = {region: IPv4Network(env.cidr(region)) for region in env.regions if env.has_network(region)}
    for (one, first), (other, second) in combinations(networks.items(), 2):
        if first.overlaps(second):
            yield Fault(
                key_of_region(env, other, "cidr"),
                f"overlaps the network of {one}",
                f"{second}, while {one} has {first}",
                "networks that do not overlap",
                "choose another",
            )


def zones_fit_their_region(env: Environment) -> Iterator[Fault]:
    """Zones are zones of their region, each once."""
    for region in filter(env.has_network, env.regions):
        zones = env.zones(region)
        if any(zone[:-1] != region for zone in zones) or len(set(zones)) != len(zones):
            yield Fault(
                key_of_region(env, region, "zone_names"),
                "has zones of another region, or a zone twice",
                ", ".join(zones),
                f"different zones of {region}, such as {region}a",
                "correct them",
            )


def zones_exist(env: Environment) -> Iterator[Fault]:
    """Each zone is one that its region has."""
    for region in filter(env.has_network, env.regions):
        existing = zones_of(region)
        missing = [zone for zone in env.zones(region) if zone[:-1] == region and zone not in existing]
        if existing and missing:
            named = env.named_zones(region) is not None
            yield Fault(
                key_of_region(env, region, "zone_names") if named else ("network", "zones"),
                "has zones that the region does not have",
                ", ".join(missing),
                f"zones of {region}: {', '.join(existing)}",
                "correct them" if named else "name others with zone_names, or take fewer",
            )


def addresses_are_enough(env: Environment) -> Iterator[Fault]:
    """While a service is deployed it has twice as many tasks as at most, each with an address of its own."""
    tasks = 2 * sum(service.max_tasks for service in env.web_services().values())
    for region in filter(env.has_network, env.regions):
        zones = env.zones(region)
        try:
            plan = _subnets.plan_subnets(env.cidr(region), sorted(set(zones)))
        except ConstructError:
            continue
        room = plan.addresses("private") - len(env.network.private_endpoints) * len(zones)
        if tasks > room:
            yield Fault(
                key_of_region(env, region, "cidr"),
                "has too few addresses for the tasks of all services",
                f"{room} in private subnets, for {tasks} tasks while all are deployed",
                "a network with an address for twice the max_tasks of each service",
                "take a larger network, which is the one with the smaller number after the slash",
            )


def zones_are_enough(env: Environment) -> Iterator[Fault]:
    """AWS makes no load balancer and no database in a single zone, and one may fail."""
    for region in () if env.local else filter(env.has_network, env.regions):
        zones = env.zones(region)
        if len(zones) < _subnets.FEWEST_ZONES:
            named = env.named_zones(region) is not None
            yield Fault(
                key_of_region(env, region, "zone_names") if named else ("network", "zones"),
                "is too little for the load balancer and the databases",
                f"{len(zones)} ({', '.join(zones)})",
                f"{_subnets.FEWEST_ZONES}-6 zones, except on the local cloud",
                "raise it",
            )


def subnets_fit(env: Environment) -> Iterator[Fault]:
    """The network can be cut into the subnets of all zones."""
    for region in filter(env.has_network, env.regions):
        try:
            _subnets.plan_subnets(env.cidr(region), sorted(set(env.zones(region))))
        except ConstructError:
            yield Fault(
                key_of_region(env, region, "cidr"),
                "cannot hold the subnets",
                f"{env.cidr(region)} for {len(env.zones(region))} zones",
                f"/{_subnets.LARGEST_PREFIX} to /{_subnets.SMALLEST_PREFIX}: three tiers and a reserve",
                "take a larger network, which is the one with the smaller number after the slash",
            )


def tasks_reach_aws(env: Environment) -> Iterator[Fault]:
    """Tasks can fetch their image and their secrets, and write their logs."""
    secrets = [arn for service in env.web_services().values() for arn in service.secrets.values()]
    parameters = any(":ssm:" in arn for arn in secrets)
    needed = (*ENDPOINTS_FOR_FARGATE, *((ENDPOINT_FOR_PARAMETERS,) if parameters else ()))
    missing = [name for name in needed if name not in env.network.private_endpoints]
    if env.network.nat == "none" and missing:
        yield Fault(
            ("network", "private_endpoints"),
            "leaves tasks without a way to AWS, as there is no NAT",
            ", ".join(env.network.private_endpoints) or "none",
            "at least " + ", ".join(needed),
            f"add {', '.join(missing)}, or set nat to single or per_az",
        )


def images_are_near(env: Environment) -> Iterator[Fault]:
    """Without NAT an image comes through endpoints, and they lead to their own region's registry only."""
    for name, service in env.web_services().items() if env.network.nat == "none" else ():
        repository = Image.of(service.image).ecr_repository
        if repository is None or any(region != repository.region for region in env.regions):
            yield Fault(
                ("services", name, "image"),
                "cannot be pulled, as there is no NAT",
                repr(service.image),
                f"an image in Amazon ECR in {', '.join(env.regions)}",
                "copy it there, or set nat to single or per_az",
            )


def domains_differ(env: Environment) -> Iterator[Fault]:
    """Each domain is there once, and the gateway has no more of them than a listener has certificates."""
    names = env.domains()
    for number, domain in enumerate(env.gateway.domains):
        if domain.name in names[: number + 1]:
            key = ("gateway", "domains", number, "name")
            next_step = "remove one of the two"
            yield Fault(key, "is there twice", repr(domain.name), "each domain once", next_step)
    if len(names) > 1 + MOST_MORE_DOMAINS:
        allowed = f"at most {MOST_MORE_DOMAINS}, as a listener has no more certificates"
        got = str(len(env.gateway.domains))
        yield Fault(("gateway", "domains"), "has too many domains", got, allowed, "remove some")


def gateway_has_certificates(env: Environment) -> Iterator[Fault]:
    """HTTPS has a certificate for each domain in each region, given or to be made."""
    gateway = env.gateway
    for key, domain in _certified(env):
        for region in env.regions:
            arn = domain.certificates.get(region)
            if gateway.tls and not env.local and domain.zone_id is None and arn is None:
                yield Fault(
                    key,
                    f"has no certificate for {region}",
                    "neither zone_id nor a certificate",
                    "zone_id (a certificate is then made by itself), or the ARN of one for each region",
                    "add the zone_id of the domain's Route 53 zone"
                    + (" below [gateway]" if key == ("gateway",) else ""),
                )


def certificates_are_of_their_region(env: Environment) -> Iterator[Fault]:
    """A load balancer takes a certificate of its own region only."""
    for key, domain in _certified(env):
        for region, arn in domain.certificates.items():
            theirs = arn.split(":")[3]
            if theirs != region:
                yield Fault(
                    (*key, "certificates", region),
                    "is a certificate of another region",
                    theirs,
                    f"a certificate in {region}: a load balancer takes no other",
                    "correct the ARN",
                )


def _certified(env: Environment) -> Iterator[tuple[tuple[str | int, ...], Gateway | FurtherDomain]]:
    yield ("gateway",), env.gateway
    for number, domain in enumerate(env.gateway.domains):
        yield ("gateway", "domains", number), domain


def callers_exist(env: Environment) -> Iterator[Fault]:
    """Who may connect to the gateway is a range, a prefix list or a security group, each once."""
    seen: set[str] = set()
    for place, entry in enumerate(env.gateway.allow_from):
        key = ("gateway", "allow_from", place)
        try:
            (caller,) = callers([entry])
        except ConstructError as error:
            yield Fault(key, "is nobody that can be let in", repr(entry), allowed_by(error), "correct it")
            continue
        if caller.id in seen:
            yield Fault(key, "is there twice", repr(entry), "each once", "remove one of the two")
        seen.add(caller.id)


def tls_policy_is_safe(env: Environment) -> Iterator[Fault]:
    """The policy is one with TLS 1.3, and 1.2 with forward secrecy only."""
    try:
        check_tls_policy(env.gateway.tls_policy)
    except ConstructError as error:
        got, next_step = repr(env.gateway.tls_policy), error.next_step or "correct it"
        yield Fault(("gateway", "tls_policy"), "is not one that is safe", got, allowed_by(error), next_step)


RULES = (
    each_region_has_a_network,
    zones_fit_their_region,
    zones_exist,
    zones_are_enough,
    subnets_fit,
    addresses_are_enough,
    tasks_reach_aws,
    images_are_near,
    domains_differ,
    gateway_has_certificates,
    certificates_are_of_their_region,
    callers_exist,
    tls_policy_is_safe,
)
