"""The policies of the roles that plan and apply, and the boundary of every role: pure functions.

No action has a wildcard, except in the boundary: it says which services a role may use at all, and what no
role of the stacks may do in any of them.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from holdfast_constructs.foundation.actions import Actions
from holdfast_constructs.security.policy import Condition, Statement

# AWS, "IAM and AWS STS quotas": characters of a managed policy, whitespace not counted; policies of a role.
LONGEST_POLICY, MOST_POLICIES = 6144, 10
# Actions of one statement, so that a policy can be filled up.
_IN_ONE = 40
# Services whose requests have no region, or that of their home.
_GLOBAL = frozenset({"cloudfront", "iam", "route53"})
# What the code of a service calls: its boundary must not stop it. ECS's agent and ECS Exec among them.
_OF_TASKS = frozenset(
    {
        *("cloudwatch", "ecr", "ecs", "elasticache", "events", "kms", "logs", "rds-db", "s3"),
        *("secretsmanager", "sns", "sqs", "ssm", "ssmmessages", "sts", "xray"),
    }
)
_NEEDS_BOUNDARY = frozenset(
    {"iam:AttachRolePolicy", "iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"}
)
_CHANGE_ROLES = (
    *("iam:AttachRolePolicy", "iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:DeletePolicyVersion"),
    *("iam:DeleteRole", "iam:DeleteRolePermissionsBoundary", "iam:DeleteRolePolicy", "iam:DetachRolePolicy"),
    *("iam:PassRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy", "iam:SetDefaultPolicyVersion"),
    *("iam:UpdateAssumeRolePolicy", "iam:UpdateRole"),
)
_CHANGE_BUCKET = (
    *("s3:DeleteBucket", "s3:DeleteBucketPolicy", "s3:DeleteObjectVersion", "s3:PutBucketLogging"),
    *("s3:PutBucketOwnershipControls", "s3:PutBucketPolicy", "s3:PutBucketPublicAccessBlock"),
    *("s3:PutBucketVersioning", "s3:PutEncryptionConfiguration", "s3:PutLifecycleConfiguration"),
    *("s3:PutReplicationConfiguration",),
)
_CHANGE_KEY = ("kms:DisableKey", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What the policies name: the account, the state bucket and its key, the boundary, the foundation's own.

    `roles` is the ARN of every role of the account, `own` are those of the foundation's roles and policies,
    `regions` where the stacks are. `copies` are buckets that get a copy of each backup, `assumed` is the role
    that the provider assumes.
    """

    bucket_arn: str
    key_arn: str | None
    boundary_arn: str
    roles: str
    own: tuple[str, ...]
    linked_roles: str
    regions: tuple[str, ...]
    copies: tuple[str, ...] = ()
    assumed: str | None = None


def plan_statements(actions: Actions, place: Place) -> Iterator[Statement]:
    """Yield what a plan may do: read, and take Terraform's lock."""
    yield from _read(actions, place)
    yield Statement(
        sid="Lock",
        actions=("s3:DeleteObject", "s3:PutObject"),
        resources=(f"{place.bucket_arn}/*.tflock",),
    )


def apply_statements(actions: Actions, place: Place) -> Iterator[Statement]:
    """Yield what a deploy may do: read, write states and records, and change what the stacks have."""
    yield from _read(actions, place)
    yield Statement(
        sid="States",
        actions=("s3:DeleteObject", "s3:PutObject"),
        resources=tuple(f"{bucket}/*" for bucket in (place.bucket_arn, *place.copies)),
    )
    roles = sorted(action for action in actions.write if action.startswith("iam:"))
    others = sorted(actions.write.difference(roles))
    here = (Condition("StringEquals", "aws:RequestedRegion", place.regions),)
    anywhere = [action for action in others if action.partition(":")[0] in _GLOBAL]
    bounded = tuple(action for action in roles if action in _NEEDS_BOUNDARY)
    unbounded = tuple(action for action in roles if action not in _NEEDS_BOUNDARY)
    within = (Condition("StringEquals", "iam:PermissionsBoundary", (place.boundary_arn,)),)
    # Who looks for an object that may exist asks by its tags.
    yield Statement(sid="Find", actions=("tag:GetResources",))
    regional = tuple(action for action in others if action not in anywhere)
    yield from _unless_empty(Statement(sid="Change", actions=regional, conditions=here))
    yield from _unless_empty(Statement(sid="ChangeGlobal", actions=tuple(anywhere)))
    yield from _unless_empty(
        Statement(sid="BoundRoles", actions=bounded, resources=(place.roles,), conditions=within)
    )
    yield from _unless_empty(Statement(sid="Roles", actions=unbounded, resources=(place.roles,)))
    if actions.passed_to:
        to = (Condition("StringEquals", "iam:PassedToService", tuple(sorted(actions.passed_to))),)
        yield Statement(sid="Pass", actions=("iam:PassRole",), resources=(place.roles,), conditions=to)
    if actions.linked:
        of = (Condition("StringEquals", "iam:AWSServiceName", tuple(sorted(actions.linked))),)
        yield Statement(
            sid="Linked",
            actions=("iam:CreateServiceLinkedRole",),
            resources=(place.linked_roles,),
            conditions=of,
        )


def boundary_statements(actions: Actions, place: Place, extra: Iterable[str]) -> Iterator[Statement]:
    """Yield the boundary: the services that are used, and what no role may do whatever its policies say."""
    services = (actions.services | _OF_TASKS | {"tag"}).union(extra) - {"iam"}
    roles = {action for action in actions.read | actions.write if action.startswith("iam:")}
    yield Statement(sid="Services", actions=tuple(f"{service}:*" for service in sorted(services)))
    yield Statement(sid="Iam", actions=tuple(sorted({*roles, "iam:CreateServiceLinkedRole", "iam:PassRole"})))
    yield Statement(
        sid="RolesHaveThisBoundary",
        effect="Deny",
        actions=tuple(sorted(_NEEDS_BOUNDARY)),
        conditions=(Condition("StringNotEquals", "iam:PermissionsBoundary", (place.boundary_arn,)),),
    )
    yield Statement(sid="FoundationStays", effect="Deny", actions=_CHANGE_ROLES, resources=place.own)
    yield Statement(
        sid="StatesStay",
        effect="Deny",
        actions=_CHANGE_BUCKET,
        resources=(place.bucket_arn, f"{place.bucket_arn}/*"),
    )
    if place.key_arn is not None:
        yield Statement(sid="KeyStays", effect="Deny", actions=_CHANGE_KEY, resources=(place.key_arn,))


def documents(statements: Iterable[Statement]) -> list[str]:
    """Return the JSON of as few policies as hold these statements, each within IAM's limit."""
    filled: list[list[Statement]] = [[]]
    for part in (part for statement in statements for part in _parts(statement)):
        if len(_document([*filled[-1], part])) > LONGEST_POLICY:
            filled.append([])
        filled[-1].append(part)
    return [_document(part) for part in filled]


def _read(actions: Actions, place: Place) -> Iterator[Statement]:
    yield from _unless_empty(Statement(sid="Read", actions=tuple(sorted(actions.read))))
    yield Statement(
        sid="ListStates",
        actions=("s3:GetLifecycleConfiguration", "s3:ListBucket", "s3:ListBucketVersions"),
        resources=(place.bucket_arn, *place.copies),
    )
    yield Statement(
        sid="ReadStates",
        actions=("s3:GetObject", "s3:GetObjectVersion"),
        resources=tuple(f"{bucket}/*" for bucket in (place.bucket_arn, *place.copies)),
    )
    if place.assumed is not None:
        yield Statement(sid="Assume", actions=("sts:AssumeRole",), resources=(place.assumed,))
    if place.key_arn is not None:
        # A lock is encrypted as a state is.
        use = ("kms:Decrypt", "kms:GenerateDataKey")
        yield Statement(sid="StateKey", actions=use, resources=(place.key_arn,))


def _unless_empty(statement: Statement) -> Iterator[Statement]:
    if statement.actions:
        yield statement


def _parts(statement: Statement) -> Iterator[Statement]:
    for number, start in enumerate(range(0, len(statement.actions), _IN_ONE)):
        some = statement.actions[start : start + _IN_ONE]
        yield replace(statement, sid=f"{statement.sid}{number or ''}", actions=some)


def _document(statements: Iterable[Statement]) -> str:
    document = {"Version": "2012-10-17", "Statement": [_literal(each) for each in statements]}
    return json.dumps(document, separators=(",", ":"))


def _literal(statement: Statement) -> dict[str, object]:
    conditions: dict[str, dict[str, list[str]]] = {}
    for each in statement.conditions:
        conditions.setdefault(each.test, {})[each.variable] = list(each.values)
    return {
        "Sid": statement.sid,
        "Effect": statement.effect,
        "Action": list(statement.actions),
        "Resource": list(statement.resources),
        **({"Condition": conditions} if conditions else {}),
    }
