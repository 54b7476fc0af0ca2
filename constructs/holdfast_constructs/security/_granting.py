"""Gives a role permissions: a grantee of ours writes them into its own policies, a raw role gets one here."""

from typing import Protocol

from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from constructs import Construct

from holdfast_constructs.app._connections import note_permission
from holdfast_constructs.app._stack_order import wait_for
from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.naming import limited
from holdfast_constructs.security.access import Grantee
from holdfast_constructs.security.policy import Statement, policy_json

AnyGrantee = Grantee | IamRole

# AWS IAM, PutRolePolicy: the longest name of a policy.
LONGEST_POLICY_NAME = 128


class Part(Protocol):
    """What somebody is granted the use of."""

    @property
    def name(self) -> str:
        """A short stable name."""


def grant_to(grantee: AnyGrantee, part: Part, verb: str, *statements: Statement, of: str = "") -> None:
    """Allow `grantee` what `statements` say of `part`, as a policy called by `verb` and the part's name.

    `of` tells several grants of one verb apart. Raises ConstructError for a grant that is there already, and
    where the stack of the part waits for that of the grantee.
    """
    if not isinstance(grantee, IamRole | Grantee):
        raise ConstructError(
            f"who is granted {verb}-{part.name}",
            got=grantee,
            allowed="a service, a job or another block that runs tasks, or an IamRole",
            next_step="a role that exists is given its policies where it is managed",
        )
    name = "-".join(filter(None, (verb, part.name, of)))
    if isinstance(grantee, Construct):
        wait_for(grantee, part, part.name)
        note_permission(grantee, part, [action for each in statements for action in each.actions])
    if not isinstance(grantee, IamRole):
        grantee.grant(name, *statements)
        return
    if grantee.node.try_find_child(name) is not None:
        raise ConstructError(
            f"{grantee.node.id} is granted {name} already", next_step="remove one of the two calls"
        )
    policy = policy_json(grantee, f"{name}-permissions", *statements)
    short = limited(name, LONGEST_POLICY_NAME)
    IamRolePolicy(grantee, name, name=short, role=grantee.id, policy=policy)


def part_name(stack: ServiceStack, id_: str, kind: str) -> str:
    """Return the name of a part that tells it from those of other services: `orders-jobs-queue`."""
    return f"{stack.service}-{kind_of_name(id_, kind)}"


def kind_of_name(id_: str, kind: str) -> str:
    """Return the name of a part that tells it from parts of another kind with the same id: `orders-queue`."""
    return id_ if id_ == kind else f"{id_}-{kind}"


def refuse_user(user: str | None, what: str) -> None:
    """Raise ConstructError where somebody logs in to a part that has no users."""
    if user is not None:
        raise ConstructError(f"{what} has no users", got=user, next_step="remove user=… from connect_to")
