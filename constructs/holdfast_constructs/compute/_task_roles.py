"""The two roles of a task: one for ECS to start it, one for the program in it.

The execution role may pull the image, write the log and fetch the secrets named in the task definition, and
nothing else. The task role may do what it was granted, each grant in a policy of its own.
"""

from collections.abc import Iterable, Sequence

from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from constructs import Construct

from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.app.target import Target
from holdfast_constructs.compute._secret_places import PARAMETER_STORE, SECRETS_MANAGER, SecretPlace
from holdfast_constructs.compute.image import Image
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.naming import aws_name, limited
from holdfast_constructs.security._granting import LONGEST_POLICY_NAME
from holdfast_constructs.security.policy import (
    Condition,
    Statement,
    assumed_by,
    from_this_account,
    policy_json,
)


class TaskRoles(Construct):
    """The execution role and the task role of the service `name`; `start` is what ECS needs to start it."""

    def __init__(self, scope: Construct, id_: str, *, name: str, start: Iterable[Statement]) -> None:
        super().__init__(scope, id_)
        self._stack = ServiceStack.of(self)
        self._name = name
        trust = policy_json(self, "trust", _tasks_of(self._stack.target))
        self.execution = self._make(name, "execution", trust, "Starts its tasks: image, log, secrets")
        self.task = self._make(name, "task", trust, "What its program may do")
        self.policies = [self._allow(self.execution, "start", tuple(start))]

    def grant(self, name: str, statements: tuple[Statement, ...]) -> None:
        """Allow the program what `statements` say, as a policy called `name`."""
        self.policies.append(self._allow(self.task, name, statements))

    def _make(self, service: str, part: str, trust: str, purpose: str) -> IamRole:
        stack = self._stack
        return IamRole(
            self,
            part,
            name=aws_name("role", stack.target, stack.service, service, part),
            description=f"{stack.service}/{service}. {purpose}",
            assume_role_policy=trust,
            permissions_boundary=stack.target.permissions_boundary,
        )

    def _allow(self, role: IamRole, name: str, statements: tuple[Statement, ...]) -> IamRolePolicy:
        if self.node.try_find_child(name) is not None:
            raise ConstructError(
                f"{self._name} is granted {name} already", next_step="remove one of the two calls"
            )
        policy = policy_json(self, f"{name}-permissions", *statements)
        short = limited(name, LONGEST_POLICY_NAME)
        return IamRolePolicy(self, name, name=short, role=role.id, policy=policy)


def start_statements(
    target: Target, images: Iterable[Image], log_group_arn: str, secrets: Iterable[SecretPlace]
) -> list[Statement]:
    """Return what ECS needs to start a task of `images`; `secrets` are where its secrets are kept."""
    log = Statement(
        sid="WriteLog",
        actions=("logs:CreateLogStream", "logs:PutLogEvents"),
        resources=(f"{log_group_arn}:*",),
    )
    return [log, *_pull(target, images), *_fetch(target, tuple(secrets))]


def _tasks_of(target: Target) -> Statement:
    tasks = f"arn:{target.partition}:ecs:{target.region}:{target.account}:*"
    return assumed_by(
        "ecs-tasks.amazonaws.com",
        from_this_account(target),
        Condition("ArnLike", "aws:SourceArn", (tasks,)),
    )


def _pull(target: Target, images: Iterable[Image]) -> list[Statement]:
    repositories = dict.fromkeys(image.ecr_repository for image in images)
    arns = tuple(
        f"arn:{target.partition}:ecr:{each.region}:{each.account}:repository/{each.name}"
        for each in repositories
        if each is not None
    )
    if not arns:
        return []
    return [
        Statement(
            sid="PullImage",
            actions=("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"),
            resources=arns,
        ),
        # This action takes no resource.
        Statement(sid="LogInToRegistry", actions=("ecr:GetAuthorizationToken",)),
    ]


def _fetch(target: Target, secrets: tuple[SecretPlace, ...]) -> list[Statement]:
    actions = {
        PARAMETER_STORE: ("FetchParameters", "ssm:GetParameters"),
        SECRETS_MANAGER: ("FetchSecrets", "secretsmanager:GetSecretValue"),
    }
    used = {service: [place.arn for place in secrets if service in place.services] for service in actions}
    statements = [
        Statement(sid=sid, actions=(action,), resources=tuple(used[service]))
        for service, (sid, action) in actions.items()
        if used[service]
    ]
    return [*statements, *_decrypt(target, [secret for secret in secrets if not secret.plain])]


def _decrypt(target: Target, secrets: Sequence[SecretPlace]) -> list[Statement]:
    """Return the statement for keys, where any of these secrets may be encrypted with one."""
    services = sorted({service for secret in secrets for service in secret.services})
    return [_decrypt_through(target, _keys_of(target, secrets), services)] if services else []


def _keys_of(target: Target, secrets: Sequence[SecretPlace]) -> tuple[str, ...]:
    """Return the keys of secrets where all are known, else every key of the account."""
    known = [secret.key_arn for secret in secrets if secret.key_arn is not None]
    if len(known) == len(secrets):
        return tuple(dict.fromkeys(known))
    return (f"arn:{target.partition}:kms:{target.region}:{target.account}:key/*",)


def _decrypt_through(target: Target, keys: tuple[str, ...], services: Sequence[str]) -> Statement:
    """Return the statement for keys: only what those services ask for on the task's behalf."""
    return Statement(
        sid="DecryptSecrets",
        actions=("kms:Decrypt",),
        resources=keys,
        conditions=(
            Condition(
                "StringEquals",
                "kms:ViaService",
                tuple(f"{service}.{target.region}.amazonaws.com" for service in services),
            ),
        ),
    )
