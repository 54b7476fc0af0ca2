"""The key of an object: type, name and place, worked out the same way from a plan and from a state.

The `id` in a state is no key: AWS or the provider makes up some of them at the create (a role's policy
attachment has a random one). The key is made from the attributes that name the object, by the template of
`create_semantics.csv`. So a planned create and the object another state has can be compared by construction.
"""

import re
import string
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from holdfast_orchestrator.terraform.create_semantics import TWINS, CreateRule, Semantics, rule_of

WORLD = "*"
# Objects of a state only: nothing outside Terraform exists, so making them anew loses nothing.
STATE_ONLY_PREFIXES = ("null_", "random_", "time_", "tls_", "terraform_data", "local_")

_PLACES = ("partition", "region", "account")
# Their `arn` is that of another object.
_ARN_OF_ANOTHER = frozenset({"aws_cloudwatch_event_target", "aws_secretsmanager_secret_version"})
_ROUTE_TARGETS = ("destination_cidr_block", "destination_ipv6_cidr_block", "destination_prefix_list_id")


@dataclass(frozen=True, slots=True, order=True)
class ObjectKey:
    """One object of the world: its Terraform type (of twins such as aws_alb the same one) and its name.

    `place` is `ACCOUNT:REGION`; `ACCOUNT:` for a service without regions; `*` where the name is unique
    everywhere (S3); None where it is not known.
    """

    kind: str
    name: str
    place: str | None = None

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a provider works."""

    account: str
    region: str
    partition: str = "aws"

    def __str__(self) -> str:
        return f"{self.account}:{self.region}"


def key_of(kind: str, values: Mapping[str, Any], place: str | None = None) -> ObjectKey | None:
    """Return the key of an object, None where its values do not give it (yet).

    `values` are its planned values, or its attributes in a state. What a plan does not know must be absent,
    or be neither a string nor a number; null means "not set". `place` is `ACCOUNT:REGION` of its provider,
    None where it is not known; the object's own ARN counts more.
    """
    if kind.startswith(STATE_ONLY_PREFIXES):
        return None
    name = _name(kind, values)
    return ObjectKey(TWINS.get(kind, kind), name, _place(kind, values, place)) if name else None


def import_id_of(kind: str, values: Mapping[str, Any], place: Place | None) -> str | None:
    """Return the import id of an object with these values, None where they do not give it.

    `place` is needed where the id is an ARN or has the account in it.
    """
    rule = rule_of(kind)
    if rule is None or not rule.import_id:
        return None
    attributes = _cleaned(rule.kind, values)
    if "queue_url" in values:
        attributes["queue_url"] = values["queue_url"]
    where = {**dict.fromkeys(_PLACES), **({} if place is None else asdict(place))}
    return _named(rule, rule.import_id, {**attributes, **where})


def may_be_same(one: ObjectKey, other: ObjectKey) -> bool:
    """Say whether two keys can be of one object: an unknown place may be any."""
    places = {one.place, other.place}
    return (one.kind, one.name) == (other.kind, other.name) and (len(places) == 1 or None in places)


def _name(kind: str, values: Mapping[str, Any]) -> str | None:
    if kind == "aws_route":
        return route_name(values)
    rule = rule_of(kind)
    if rule is None or not rule.name:
        return _text(values.get("id"))
    # The place is a part of its own, so that a key without one can be compared too.
    return _named(rule, rule.name, {**_cleaned(rule.kind, values), **dict.fromkeys(_PLACES, "-")})


def _named(rule: CreateRule, template: str, values: Mapping[str, Any]) -> str | None:
    filled = _filled(template, values)
    if filled and rule.kind == "aws_cloudwatch_event_rule":
        return filled.removeprefix("default/")
    if filled and rule.kind == "aws_route53_record" and values.get("set_identifier"):
        return f"{filled}_{values['set_identifier']}"
    return filled or None


def _filled(template: str, values: Mapping[str, Any]) -> str | None:
    parts = []
    for literal, field, _, _ in string.Formatter().parse(template):
        value = "" if field is None else _field(field, values)
        if value is None:
            return None
        parts += [literal, value]
    return "".join(parts)


def _field(field: str, values: Mapping[str, Any]) -> str | None:
    name, _, default = field.partition("|")
    if default and name in values and values[name] in (None, ""):
        return _text(values.get(default)) if default in _PLACES else default
    return _text(values.get(name))


def _cleaned(kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with what can be written in several ways written in one."""
    cleaners = {**_CLEANED, "key": _clean_object_key} if kind in _OBJECTS else _CLEANED
    return {
        name: cleaners[name](value) if name in cleaners and isinstance(value, str) else value
        for name, value in values.items()
    }


def _text(value: object) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        # A set of names, such as groups: in no order of its own, and of no use while one is unknown.
        return ",".join(sorted(value)) or None if all(isinstance(name, str) for name in value) else None
    return str(value) if isinstance(value, str | int | float) and value != "" else None


def route_name(values: Mapping[str, Any]) -> str | None:
    """Return what names a route in AWS: its table and its destination; None where one is not known."""
    table = _text(values.get("route_table_id"))
    target = next(filter(None, (_text(values.get(name)) for name in _ROUTE_TARGETS)), None)
    return f"{table}_{target}" if table and target else None


def _place(kind: str, values: Mapping[str, Any], place: str | None) -> str | None:
    rule = rule_of(kind)
    if rule is not None and rule.scope == "world":
        return WORLD
    where = _own_place(kind, rule, values) or place
    if where is not None and rule is not None and rule.scope == "account":
        return f"{where.partition(':')[0]}:"
    return where


def _own_place(kind: str, rule: CreateRule | None, values: Mapping[str, Any]) -> str | None:
    if kind in _ARN_OF_ANOTHER or (rule is not None and rule.semantics is Semantics.SETTING):
        return None
    match str(values.get("arn")).split(":", 5):
        case ["arn", _, _, region, account, _] if account:
            return f"{account}:{region}"
        case _:
            return None


def _clean_object_key(key: str) -> str:
    """As the provider does before it talks to S3 (`sdkv1CompatibleCleanKey`)."""
    return re.sub("/+", "/", key.removeprefix("./").lstrip("/"))


def _after_slash(value: str) -> str:
    return value.rpartition("/")[2]


def _function(value: str) -> str:
    return value.partition(":function:")[2].partition(":")[0] or value


_CLEANED: Mapping[str, Callable[[str], str]] = {
    "cluster": _after_slash,
    "event_bus_name": _after_slash,
    "function_name": _function,
    "queue_url": _after_slash,
    "url": lambda value: value.removeprefix("https://"),
}
_OBJECTS = frozenset({"aws_s3_object", "aws_s3_object_copy"})
