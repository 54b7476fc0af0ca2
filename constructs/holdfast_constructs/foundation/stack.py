"""The stack `foundation`: what `holdfast bootstrap` deploys, once for an environment.

It is in the region of the state bucket. Its own state is encrypted with S3's key, because it is written
before the key for the others exists; there is no secret in it.
"""

from collections.abc import Mapping
from typing import Any

from constructs import Construct

from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.app.target import Target
from holdfast_constructs.foundation.actions import actions_for
from holdfast_constructs.foundation.deploy_roles import DeployRoles
from holdfast_constructs.foundation.existing import Existing
from holdfast_constructs.foundation.identity import Identity, github_identity, gitlab_identity
from holdfast_constructs.foundation.names import SERVICE
from holdfast_constructs.foundation.state_bucket import StateBucketSettings
from holdfast_constructs.settings import Environment
from holdfast_constructs.settings.foundation import Foundation
from holdfast_constructs.storage.bucket import Bucket

Configurations = Mapping[str, Mapping[str, Any]]


class FoundationStack(ServiceStack):
    """What an environment stands on in its account."""

    def __init__(
        self,
        scope: Construct,
        target: Target,
        env: Environment,
        settings: Foundation,
        *,
        stacks: Configurations,
        existing: Existing,
    ) -> None:
        super().__init__(scope, SERVICE, target)
        logs = None
        if settings.access_logs:
            logs = Bucket(self, "access-logs", key=None, expire_days=settings.access_log_days)
        self.state_bucket = StateBucketSettings(
            self,
            "states",
            bucket=env.state.bucket,
            kms_key=env.state.kms_key_id,
            old_version_days=settings.old_version_days,
            kept_versions=env.state.backup_count,
            audit_days=env.audit.days,
            access_logs=logs,
        )
        self.add_output("state-bucket", env.state.bucket)
        if settings.has_roles:
            self._add_roles(env, settings, stacks, existing)

    def _add_roles(
        self, env: Environment, settings: Foundation, stacks: Configurations, existing: Existing
    ) -> None:
        states, key = self.state_bucket, env.state.kms_key_id
        roles = DeployRoles(
            self,
            "ci",
            bucket_arn=states.arn,
            key_arn=states.key.arn if states.key is not None else _key_arn(key, self.target),
            actions=actions_for(stacks, settings.actions),
            regions=regions_of(stacks),
            copies=tuple(f"arn:{self.target.partition}:s3:::{copy.bucket}" for copy in env.state.copies),
            assumed=env.role_arn,
            identities=_identities(env.name, settings),
            foreign_providers=existing.foreign_providers,
            session_hours=settings.session_hours,
            boundary_services=settings.boundary_services,
        )
        self.add_output("plan-role", roles.plan.arn)
        self.add_output("apply-role", roles.apply.arn)


def regions_of(stacks: Configurations) -> tuple[str, ...]:
    """Return the regions in which the providers of these stacks work."""
    providers = (
        provider for document in stacks.values() for provider in document.get("provider", {}).get("aws", ())
    )
    return tuple(sorted({str(provider["region"]) for provider in providers if provider.get("region")}))


def _identities(environment: str, settings: Foundation) -> tuple[Identity, ...]:
    github = None if settings.github is None else github_identity(settings.github, environment)
    gitlab = None if settings.gitlab is None else gitlab_identity(settings.gitlab)
    return tuple(identity for identity in (github, gitlab) if identity is not None)


def _key_arn(key: str | None, target: Target) -> str | None:
    """Return the ARN of a key that the settings name by its id or ARN; None without a key."""
    if key is None or key.startswith("arn:"):
        return key
    return f"arn:{target.partition}:kms:{target.region}:{target.account}:key/{key}"
