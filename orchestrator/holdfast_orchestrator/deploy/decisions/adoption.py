"""Creates in doubt: did AWS make the object, and is it ours?

An interrupted call, a lost answer and a crashed provider all leave a create of which nobody knows
whether it happened. The object is looked for by the ids it would have, with a plan that only reads
(an `import` block). It is adopted when the stable tag of this shard is on it and no other shard's state
has it; an object without the tag is somebody else's and is reported, never deleted. The tag names the
shard and not the run, or every run would change every object.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from holdfast_orchestrator.terraform.identity import Identity
from holdfast_orchestrator.terraform.import_ids import import_id
from holdfast_orchestrator.terraform.json_values import Document
from holdfast_orchestrator.terraform.object_keys import Place, import_id_of

TAG_KEYS = ("tags_all", "tags")

ATTEMPTS = 3
"""How often to look before an object counts as never made; an open call took 12 s to land."""


@dataclass(frozen=True, slots=True)
class ShardTag:
    """The stable tag on every object of a shard: its key and this shard's value."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Adopt:
    """The object is ours: import it."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """The object exists and is not proven ours: report it, never import or delete it."""

    why: str


def candidate_ids(kind: str, planned: Document, place: Place) -> tuple[str, ...]:
    """The import ids an object would have if it was made; none where only AWS chooses the id.

    For those, a search by tag is the only way to find the object.
    """
    candidate = import_id(kind, None, planned) or import_id_of(kind, planned, place)
    return (candidate,) if candidate else ()


def judge_adoption(
    identity: Identity,
    attributes: Document,
    *,
    tag: ShardTag,
    elsewhere: Collection[Identity],
) -> Adopt | Foreign:
    """Whether an object found in the cloud may be taken into this shard's state.

    Args:
        identity: the object's, as the import plan shows it.
        attributes: the object's, as the import plan shows them before any change.
        tag: the stable tag of this shard.
        elsewhere: every identity in any other shard's state.
    """
    if identity in elsewhere:
        return Foreign("another shard's state has it")
    tags = next((attributes[key] for key in TAG_KEYS if attributes.get(key)), None)
    if not isinstance(tags, Mapping):
        return Foreign("it carries no tags, so nothing proves whose it is")
    if tags.get(tag.key) != tag.value:
        return Foreign(f"its tag {tag.key!r} is {tags.get(tag.key)!r}, not {tag.value!r}")
    return Adopt()


@dataclass(frozen=True, slots=True)
class _Form:
    """`arn:…:SERVICE:…:PREFIX…`; the import id is what follows the prefix, or, `whole`, the ARN."""

    service: str
    prefix: str
    whole: bool = False


_FORMS: Mapping[str, _Form] = {
    "aws_acm_certificate": _Form("acm", "certificate/", whole=True),
    "aws_ebs_volume": _Form("ec2", "volume/"),
    "aws_efs_file_system": _Form("elasticfilesystem", "file-system/"),
    "aws_eip": _Form("ec2", "elastic-ip/"),
    "aws_flow_log": _Form("ec2", "vpc-flow-log/"),
    "aws_instance": _Form("ec2", "instance/"),
    "aws_internet_gateway": _Form("ec2", "internet-gateway/"),
    "aws_kms_key": _Form("kms", "key/"),
    "aws_launch_template": _Form("ec2", "launch-template/"),
    "aws_lb": _Form("elasticloadbalancing", "loadbalancer/", whole=True),
    "aws_lb_listener": _Form("elasticloadbalancing", "listener/", whole=True),
    "aws_lb_listener_rule": _Form("elasticloadbalancing", "listener-rule/", whole=True),
    "aws_lb_target_group": _Form("elasticloadbalancing", "targetgroup/", whole=True),
    "aws_nat_gateway": _Form("ec2", "natgateway/"),
    "aws_network_acl": _Form("ec2", "network-acl/"),
    "aws_route_table": _Form("ec2", "route-table/"),
    "aws_secretsmanager_secret": _Form("secretsmanager", "secret:", whole=True),
    "aws_security_group": _Form("ec2", "security-group/"),
    "aws_subnet": _Form("ec2", "subnet/"),
    "aws_vpc": _Form("ec2", "vpc/"),
    "aws_vpc_endpoint": _Form("ec2", "vpc-endpoint/"),
}


def can_be_searched(kind: str) -> bool:
    """Whether the form of an ARN shows that an object is of this Terraform type."""
    return kind in _FORMS


def tagged_import_id(kind: str, arn: str) -> str | None:
    """Return the import id of an object of type `kind` with this ARN; None where it is of another type."""
    form = _FORMS.get(kind)
    match arn.split(":", 5):
        case ["arn", _, service, _, _, resource] if (
            form is not None and service == form.service and resource.startswith(form.prefix)
        ):
            return arn if form.whole else resource.removeprefix(form.prefix)
        case _:
            return None


def told_apart(
    wanted: Mapping[str, tuple[str, Mapping[str, str]]],
    existing: Mapping[str, Mapping[str, str]],
    strangers: Collection[str],
) -> Mapping[str, str]:
    """Return the import id of each wanted object that has its tags for itself alone, by address.

    `wanted` are type and tags by address, `existing` the tags of what exists by ARN, `strangers` ARNs and
    ids that are none of them. Where one object fits two addresses, or two fit one, nobody can tell.
    """
    fitting = {
        address: tuple(
            import_id
            for arn, carried in existing.items()
            if tags.items() <= carried.items()
            and (import_id := tagged_import_id(kind, arn)) is not None
            and not {arn, import_id}.intersection(strangers)
        )
        for address, (kind, tags) in wanted.items()
    }
    claims = Counter(import_id for ids in fitting.values() for import_id in ids)
    return {address: ids[0] for address, ids in fitting.items() if len(ids) == 1 and claims[ids[0]] == 1}
