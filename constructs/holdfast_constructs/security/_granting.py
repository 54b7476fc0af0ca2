"""Gives a role permissions: a grantee of ours writes them into its own policies, a raw role gets one here."""

from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy

from holdfast_constructs.errors import ConstructError
from holdfast_constructs.security.access import Grantee
from holdfast_constructs.security.policy import Statement, policy_json

AnyGrantee = Grantee | IamRole


def grant_to(grantee: AnyGrantee, name: str, *statements: Statement) -> None:
    """Allow `grantee` what `statements` say, as a policy called `name`, which is unique to the grantee."""
    if not isinstance(grantee, IamRole):
        grantee.grant(name, *statements)
        return
    if grantee.node.try_find_child(name) is not None:
        raise ConstructError(
            f"{grantee.node.id} is granted {name} already", next_step="remove one of the two calls"
        )
    policy = policy_json(grantee, f"{name}-permissions", *statements)
    IamRolePolicy(grantee, name, name=name, role=grantee.id, policy=policy)


def kind_of_name(id_: str, kind: str) -> str:
    """Return the name of a part that tells it from parts of another kind with the same id: `orders-queue`."""
    return id_ if id_ == kind else f"{id_}-{kind}"


def refuse_user(user: str | None, what: str) -> None:
    """Raise ConstructError where somebody logs in to a part that has no users."""
    if user is not None:
        raise ConstructError(f"{what} has no users", got=user, next_step="remove user=… from connect_to")
