"""Rules of the firewall: what the block refuses is refused with the line of the file."""

from collections.abc import Iterator, Mapping
from typing import Any

from holdfast_constructs.edge._firewall_addresses import by_version, check_apart
from holdfast_constructs.edge._firewall_rules import Filters, firewall_rules
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.settings.models import Environment
from holdfast_constructs.settings.problems import Fault

Path = tuple[str | int, ...]

_TABLE = "firewall"


def addresses_exist(env: Environment) -> Iterator[Fault]:
    """AWS WAF keeps the addresses, and none is to be let through and refused."""
    found: dict[str, Mapping[Any, list[str]]] = {}
    for key in ("allow_addresses", "block_addresses"):
        try:
            found[key] = by_version(key, getattr(env.firewall, key))
        except ConstructError as error:
            yield _fault((_TABLE, key), error)
    try:
        check_apart(found.get("allow_addresses", {}), found.get("block_addresses", {}))
    except ConstructError as error:
        yield _fault((_TABLE, "allow_addresses"), error)


def entries_are_complete(env: Environment) -> Iterator[Fault]:
    """Each exception and each limit is one that the block takes."""
    firewall = env.firewall
    for key, entries in (("exceptions", firewall.exceptions), ("rate_limits", firewall.rate_limits)):
        for place, entry in enumerate(entries):
            try:
                entry.built()
            except ConstructError as error:
                yield _fault((_TABLE, key, place), error)


def rules_exist(env: Environment) -> Iterator[Fault]:
    """Rules with a mode or an exception are rules that the firewall has."""
    if [*entries_are_complete(env)]:
        return
    firewall = env.firewall
    limits = [each.built() for each in firewall.rate_limits]
    tries: list[tuple[Path, dict[str, Any]]] = [
        *(
            (("rule_modes", name), {"rule_modes": {name: mode}, "rate_limits": limits})
            for name, mode in firewall.rule_modes.items()
        ),
        *(
            (("exceptions", place, "rules"), {"exceptions": [each.built()]})
            for place, each in enumerate(firewall.exceptions)
        ),
    ]
    refused = False
    for path, options in tries:
        for fault in _refused(env, (_TABLE, *path), options):
            refused = True
            yield fault
    if not refused:
        exceptions = [each.built() for each in firewall.exceptions]
        whole = {"rate_limits": limits, "exceptions": exceptions, "rule_modes": firewall.rule_modes}
        yield from _refused(env, (_TABLE,), whole)


def _refused(env: Environment, path: Path, options: Mapping[str, Any]) -> Iterator[Fault]:
    try:
        firewall_rules(Filters(mode=env.firewall.mode, rate_limit=env.firewall.rate_limit, **options))
    except ConstructError as error:
        yield _fault(path, error)


def _fault(path: Path, error: ConstructError) -> Fault:
    what = "is not what the firewall takes" if error.allowed else f"is refused: {error.what}"
    got = error.got or "it"
    return Fault(
        path, what, got, error.allowed or "one of the two", error.next_step or "correct it or remove it"
    )


RULES = (addresses_exist, entries_are_complete, rules_exist)
