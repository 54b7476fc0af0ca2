"""Objects whose id AWS alone chooses: what their ARN looks like, and which import id it gives.

The tagging API lists ARNs by tags, so what a shard's tags lead to is an ARN. Forms of the ARNs: AWS Service
Authorization Reference, "Resource types" of each service.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass


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
    """Whether objects of this Terraform type can be told by the form of their ARN."""
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
    there: Mapping[str, Mapping[str, str]],
    known: Collection[str],
) -> Mapping[str, str]:
    """Return the import id of each object wanted that is told from every other by its tags, by address.

    `wanted` are type and tags by address, `there` the tags of what exists by ARN, `known` ARNs and ids that
    are none of them. Where one object fits two addresses, or two fit one, nobody can tell.
    """
    fitting = {
        address: tuple(
            import_id
            for arn, carried in there.items()
            if tags.items() <= carried.items()
            and (import_id := tagged_import_id(kind, arn)) is not None
            and not {arn, import_id}.intersection(known)
        )
        for address, (kind, tags) in wanted.items()
    }
    claims = Counter(import_id for ids in fitting.values() for import_id in ids)
    return {address: ids[0] for address, ids in fitting.items() if len(ids) == 1 and claims[ids[0]] == 1}
