"""The stack `foundation`: what `holdfast bootstrap` deploys, once for an environment.

It is in the region of the state bucket. Its own state is encrypted with S3's key, because it is written
before the key for the others exists; there is no secret in it.
"""

from dataclasses import replace

from constructs import Construct

from holdfast_constructs.app._zones import zones_of
from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.app.target import Target
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.foundation.state_bucket import StateBucketSettings
from holdfast_constructs.project.site import Site
from holdfast_constructs.settings import Environment
from holdfast_constructs.settings.foundation import Foundation
from holdfast_constructs.storage.bucket import Bucket

SERVICE = "foundation"


class FoundationStack(ServiceStack):
    """What an environment stands on in its account."""

    def __init__(self, scope: Construct, env: Environment, settings: Foundation) -> None:
        super().__init__(scope, SERVICE, foundation_target(scope, env))
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


def foundation_target(scope: Construct, env: Environment) -> Target:
    """Return the target of an environment's foundation: the region of its state bucket, no role."""
    home = Site(scope, env, env.regions[0]).target
    region = home.state.region
    return replace(
        home,
        region=region,
        zones=zones_of(region)[:1] or (f"{region}a",),
        state=replace(home.state, kms_key_id=None),
        # A person with an administrator's rights deploys it; a role that it makes must not.
        role_arn=None,
    )


def build_foundation(scope: Construct, env: Environment) -> FoundationStack:
    """Create the foundation of an environment; raises ConstructError for one without [foundation]."""
    if env.foundation is None:
        raise ConstructError(
            f"environment {env.name} has no foundation in its settings",
            next_step=f"add the table [foundation] to environments/{env.name}.toml; it may be empty",
        )
    return FoundationStack(scope, env, env.foundation)
