"""The roles that a CI plans and deploys with, the boundary of all roles, and the CI's identity provider."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from cdktf_cdktf_provider_aws.iam_openid_connect_provider import IamOpenidConnectProvider
from cdktf_cdktf_provider_aws.iam_policy import IamPolicy
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy_attachment import IamRolePolicyAttachment
from constructs import Construct

from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.foundation.actions import Actions
from holdfast_constructs.foundation.identity import Identity
from holdfast_constructs.foundation.names import boundary_arn, role_name
from holdfast_constructs.foundation.policies import (
    MOST_POLICIES,
    Place,
    apply_statements,
    boundary_statements,
    documents,
    plan_statements,
)
from holdfast_constructs.security.policy import Statement

_SECONDS = 3600


@checked
class DeployRoles(Construct):
    """A role that plans, one that applies, and the boundary of every role of the environment.

    Both may be taken by jobs of the `identities` only. `actions` are what the stacks need, `regions` where
    they are, `copies` the ARNs of buckets for copies of backups, `assumed` the provider's role. Providers of
    identities in `foreign_providers` exist in the account, and are not made.
    `session_hours` is 1-12; `boundary_services` are prefixes that roles may use besides. Raises
    ConstructError for more actions than IAM lets a role have.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        bucket_arn: str,
        key_arn: str | None,
        actions: Actions,
        regions: tuple[str, ...],
        copies: tuple[str, ...],
        assumed: str | None,
        identities: tuple[Identity, ...],
        foreign_providers: frozenset[str],
        session_hours: int,
        boundary_services: tuple[str, ...],
    ) -> None:
        super().__init__(scope, id_)
        self._stack = ServiceStack.of(self)
        self._seconds = session_hours * _SECONDS
        place = replace(self._place(bucket_arn, key_arn, regions), copies=copies, assumed=assumed)
        self.boundary = self._boundary(boundary_statements(actions, place, boundary_services))
        providers = {
            identity.host: self._provider(identity, made=identity.host not in foreign_providers)
            for identity in identities
        }
        self.plan = self._role("plan", identities, providers, documents(plan_statements(actions, place)))
        self.apply = self._role("apply", identities, providers, documents(apply_statements(actions, place)))

    def _place(self, bucket_arn: str, key_arn: str | None, regions: tuple[str, ...]) -> Place:
        target = self._stack.target
        iam = f"arn:{target.partition}:iam::{target.account}"
        own = role_name(target, "")
        return Place(
            bucket_arn=bucket_arn,
            key_arn=key_arn,
            boundary_arn=boundary_arn(target),
            roles=f"{iam}:role/*",
            own=(f"{iam}:role/{own}-*", f"{iam}:policy/{own}-*"),
            linked_roles=f"{iam}:role/aws-service-role/*",
            regions=regions,
        )

    def _boundary(self, statements: Iterable[Statement]) -> IamPolicy:
        (document,) = self._few(documents(statements), most=1, what="boundary")
        return IamPolicy(
            self,
            "boundary",
            name=role_name(self._stack.target, "boundary"),
            description="What no role of these stacks may do beyond",
            policy=document,
        )

    def _provider(self, identity: Identity, *, made: bool) -> str:
        target = self._stack.target
        if made:
            # Without thumbprints: IAM trusts the authorities of GitHub and GitLab, and looks others up.
            provider = IamOpenidConnectProvider(
                self,
                f"{identity.name}-provider",
                url=f"https://{identity.host}",
                client_id_list=[identity.audience],
            )
            return str(provider.arn)
        return f"arn:{target.partition}:iam::{target.account}:oidc-provider/{identity.host}"

    def _role(
        self, part: str, identities: Sequence[Identity], providers: Mapping[str, str], policies: list[str]
    ) -> IamRole:
        name = role_name(self._stack.target, part)
        trust = [
            statement
            for identity in identities
            for statement in _trust(identity, providers[identity.host], part)
        ]
        role = IamRole(
            self,
            part,
            name=name,
            description=f"CI jobs that {part} {self._stack.target.environment}",
            assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": trust}),
            max_session_duration=self._seconds,
            permissions_boundary=self.boundary.arn,
        )
        for number, policy in enumerate(self._few(policies, most=MOST_POLICIES, what=part), start=1):
            made = IamPolicy(self, f"{part}-{number}", name=f"{name}-{number}", policy=policy)
            IamRolePolicyAttachment(self, f"{part}-{number}-of", role=role.name, policy_arn=made.arn)
        return role

    def _few(self, policies: list[str], *, most: int, what: str) -> list[str]:
        if len(policies) > most:
            raise ConstructError(
                f"the policies of {what}",
                got=f"{len(policies)} policies",
                allowed=f"at most {most}: a quota of IAM",
                next_step="split the environment into two, each in an account of its own",
            )
        return policies


def _trust(identity: Identity, provider: str, part: str) -> Iterable[Mapping[str, object]]:
    exact, like = (identity.apply, ()) if part == "apply" else (identity.plan, identity.plan_like)
    for test, subjects in (("StringEquals", exact), ("StringLike", like)):
        if subjects:
            conditions: dict[str, dict[str, object]] = {
                "StringEquals": {f"{identity.host}:aud": identity.audience}
            }
            conditions.setdefault(test, {})[f"{identity.host}:sub"] = list(subjects)
            yield {
                "Effect": "Allow",
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Principal": {"Federated": provider},
                "Condition": conditions,
            }
