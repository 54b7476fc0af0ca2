"""What exists, by identity: (type, id), the one thing a rename, a move or a deposed object keeps.

An address says where the configuration talks about an object; the identity says which object it is.
For most types the provider's `id` is enough. The table below names the types where it is not: their
`id` is shared between objects (every revision of an ECS task definition has its family for an id),
or it comes back after a re-creation while another attribute tells the two objects apart.

Types whose id is simply the name (a DynamoDB table, a log group) cannot be told from a re-created
namesake by any attribute. `lost` therefore also needs to know what this run destroyed.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from holdfast_orchestrator.terraform.create_semantics import rule_of
from holdfast_orchestrator.terraform.json_values import Document, digest, managed
from holdfast_orchestrator.terraform.object_keys import ObjectKey, key_of
from holdfast_orchestrator.terraform.stateful_types import Protection

# From the provider's own documentation of each type's attributes, hashicorp/aws 5.100.0.
IDENTITY_ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    "aws_apigatewayv2_stage": ("api_id", "name"),
    "aws_appautoscaling_policy": ("service_namespace", "resource_id", "scalable_dimension", "name"),
    "aws_appautoscaling_target": ("service_namespace", "resource_id", "scalable_dimension"),
    "aws_autoscaling_lifecycle_hook": ("autoscaling_group_name", "name"),
    "aws_autoscaling_policy": ("autoscaling_group_name", "name"),
    "aws_autoscaling_schedule": ("autoscaling_group_name", "scheduled_action_name"),
    "aws_cloudwatch_log_metric_filter": ("log_group_name", "name"),
    "aws_cloudwatch_log_stream": ("log_group_name", "name"),
    "aws_cloudwatch_log_subscription_filter": ("log_group_name", "name"),
    "aws_db_instance": ("resource_id",),
    "aws_docdb_cluster": ("cluster_resource_id",),
    "aws_ecs_task_definition": ("arn",),
    "aws_iam_role": ("unique_id",),
    "aws_iam_user": ("unique_id",),
    "aws_lambda_permission": ("function_name", "qualifier", "statement_id"),
    "aws_neptune_cluster": ("cluster_resource_id",),
    "aws_rds_cluster": ("cluster_resource_id",),
    "aws_s3_bucket_object": ("bucket", "key"),
    "aws_s3_object": ("bucket", "key"),
}
# Their id says nothing ("none") and their value is a secret: the identity is a digest of the value.
_DIGESTED: Mapping[str, str] = {"random_bytes": "base64", "random_password": "result"}


@dataclass(frozen=True, slots=True, order=True)
class Identity:
    """One object of the world: its Terraform type, and a value that no other object of that type has."""

    kind: str
    value: str

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedObject:
    """An object some state knows. `deposed` is Terraform's key of an object waiting to be destroyed.

    `place` is the account and region its ARN names, where it has one. `region` is the one whose tagging API
    lists it, None where none does (IAM) or nobody knows. `key` is made from the attributes that name the
    object, for types whose id may be made up. All three are of this state only: records do not keep
    them, and no identity has them, because an object that was half made has its id and no ARN yet.
    """

    identity: Identity
    address: str
    provider: str
    stateful: bool
    id: str | None = None
    deposed: str | None = None
    place: str | None = field(default=None, compare=False)
    region: str | None = field(default=None, compare=False)
    key: ObjectKey | None = field(default=None, compare=False)


@dataclass(frozen=True)
class IdentityIndex:
    """All objects of one state. Two addresses may hold one identity; that is a finding, not an error."""

    objects: tuple[TrackedObject, ...] = ()

    @cached_property
    def by_identity(self) -> Mapping[Identity, TrackedObject]:
        """One object for each identity; where two addresses hold it, the stateful and current one."""
        ranked = sorted(self.objects, key=lambda tracked: (tracked.stateful, tracked.deposed is None))
        return {tracked.identity: tracked for tracked in ranked}

    @cached_property
    def by_address(self) -> Mapping[str, TrackedObject]:
        """The current object at each address; deposed ones are left out."""
        return {tracked.address: tracked for tracked in self.objects if tracked.deposed is None}

    def __contains__(self, identity: object) -> bool:
        return identity in self.by_identity

    def __iter__(self) -> Iterator[TrackedObject]:
        return iter(self.objects)


def identify(kind: str, attributes: Document | None, *, address: str) -> Identity:
    """Return the identity of an object with these attributes.

    Without any usable id it is the object's address, with a mark that no real id has.
    """
    values = attributes or {}
    if kind in _DIGESTED and values.get(_DIGESTED[kind]):
        return Identity(kind, digest([kind, values[_DIGESTED[kind]]]))
    names = IDENTITY_ATTRIBUTES.get(kind, ())
    if names and values.get(names[-1]):
        return Identity(kind, "|".join(str(values.get(name) or "") for name in names))
    for name in ("id", "arn"):
        if values.get(name):
            return Identity(kind, str(values[name]))
    return Identity(kind, f"address:{address}")


def index_state(state: Document | None, *, protection: Protection) -> IdentityIndex:
    """Return the index of every managed object, deposed ones included, of a state (format 4) or of none."""
    return IdentityIndex(
        tuple(
            _track(address, resource, instance, protection)
            for address, resource, instance in managed(state or {})
        )
    )


def as_told_now(then: IdentityIndex, now: IdentityIndex) -> IdentityIndex:
    """Return the index of an earlier record, in the terms of one that is made now.

    The identity of a type that `IDENTITY_ATTRIBUTES` did not have then was its id alone. What `now` has at
    the same address with that id is the same object.
    """
    return IdentityIndex(
        tuple(_as_told_now(tracked, now.by_address.get(tracked.address)) for tracked in then)
    )


def lost(
    before: IdentityIndex,
    now: IdentityIndex,
    *,
    approved: Collection[str] = (),
    destroyed: Collection[Identity] = (),
) -> tuple[TrackedObject, ...]:
    """Return the stateful objects of `before` that are gone `now` although nobody approved it.

    `approved` are addresses whose loss was approved by name. `destroyed` are identities that this run
    destroyed: an object of that identity that exists now is a re-created namesake without the contents.
    """
    return tuple(
        tracked
        for tracked in before
        if tracked.stateful
        and tracked.address not in approved
        and (tracked.identity not in now or tracked.identity in destroyed)
    )


def _as_told_now(known: TrackedObject, here: TrackedObject | None) -> TrackedObject:
    if here is None or known.deposed is not None or known.identity.value != known.id:
        return known
    same = (here.identity.kind, here.id) == (known.identity.kind, known.id)
    return replace(known, identity=here.identity) if same else known


def _track(address: str, resource: Document, instance: Document, protection: Protection) -> TrackedObject:
    attributes = instance.get("attributes") or instance.get("attributes_flat") or {}
    kind = resource["type"]
    rule = rule_of(kind)
    return TrackedObject(
        identity=identify(kind, attributes, address=address),
        address=address,
        provider=resource.get("provider", ""),
        stateful=protection.covers(address, kind, attributes),
        id=str(attributes.get("id") or "") or None,
        deposed=instance.get("deposed"),
        place=_place(attributes.get("arn")),
        region=_region(attributes),
        # An object without names of its own has no key by them: its id is all there is.
        key=key_of(kind, attributes) if rule is not None and rule.name else None,
    )


def _place(arn: object) -> str | None:
    match str(arn).split(":", 5):
        case ["arn", _, _, region, account, _]:
            return f"{account}:{region}"
        case _:
            return None


def arn_of(attributes: Document) -> str | None:
    """Return the object's ARN, None where it has none. The id of some types (an ECS service) is one."""
    texts = (str(attributes.get(name)) for name in ("arn", "id"))
    return next((text for text in texts if text.startswith("arn:")), None)


def _region(attributes: Document) -> str | None:
    """The region whose tagging API lists the object. A bucket's ARN has none, and the bucket is in one."""
    match str(arn_of(attributes)).split(":", 5):
        case ["arn", _, "s3", "", _, _]:
            return attributes.get("region") or None
        case ["arn", _, _, region, _, _]:
            return region or None
        case _:
            return None
