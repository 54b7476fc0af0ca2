"""Rules of regions and tags."""

from collections import Counter
from collections.abc import Collection, Iterator

from holdfast_constructs.app.target import OWN_TAGS
from holdfast_constructs.settings.models import Environment
from holdfast_constructs.settings.problems import Fault, did_you_mean

# AWS, "Tag naming limits and requirements".
TAG_KEY, TAG_VALUE = 128, 256


def regions_differ(env: Environment) -> Iterator[Fault]:
    """Refuse a region that is listed twice."""
    for region, times in Counter(env.regions).items():
        if times > 1:
            next_step = f"remove one {region!r}"
            yield Fault(("regions",), "names a region twice", repr(region), "each region once", next_step)


def regional_tables_name_regions(env: Environment) -> Iterator[Fault]:
    """What is said of a region is said of one the environment has."""
    tables: dict[tuple[str | int, ...], Collection[str]] = {
        ("network", "regions"): env.network.regions,
        ("gateway", "certificates"): env.gateway.certificates,
    }
    for number, domain in enumerate(env.gateway.domains):
        tables["gateway", "domains", number, "certificates"] = domain.certificates
    for path, table in tables.items():
        for region in table:
            if region not in env.regions:
                yield Fault(
                    (*path, region),
                    "is not a region of this environment",
                    repr(region),
                    ", ".join(env.regions) + did_you_mean(region, env.regions),
                    "add it to regions, or correct it here",
                )


def tags_are_free(env: Environment) -> Iterator[Fault]:
    """No tag is one of Holdfast's own or one AWS refuses."""
    for key, value in env.tags.items():
        if key in OWN_TAGS:
            yield Fault(("tags", key), "is set by Holdfast itself", repr(key), "other tags", "remove it")
        elif key.lower().startswith("aws:") or not key or len(key) > TAG_KEY or len(value) > TAG_VALUE:
            yield Fault(
                ("tags", key),
                "is not a tag AWS takes",
                f"a key of {len(key)} and a value of {len(value)} characters",
                f"a key of 1-{TAG_KEY} that does not begin with aws:, a value of 0-{TAG_VALUE}",
                "shorten or rename it",
            )


RULES = (regions_differ, regional_tables_name_regions, tags_are_free)
