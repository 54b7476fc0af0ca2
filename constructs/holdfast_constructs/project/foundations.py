"""Builds the foundation of an environment from its settings and its stacks."""

from dataclasses import replace

from constructs import Construct

from holdfast_constructs.app._zones import zones_of
from holdfast_constructs.app.target import Target
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.foundation.existing import Existing
from holdfast_constructs.foundation.stack import Configurations, FoundationStack
from holdfast_constructs.project.site import Site
from holdfast_constructs.settings import Environment


def build_foundation(
    scope: Construct, env: Environment, *, stacks: Configurations, existing: Existing
) -> FoundationStack:
    """Create the foundation of an environment with these synthesized stacks, by their names.

    Raises ConstructError for one without [foundation], and for a resource type of which nothing is known.
    """
    if env.foundation is None:
        raise ConstructError(
            f"environment {env.name} has no foundation in its settings",
            next_step=f"add the table [foundation] to environments/{env.name}.toml; it may be empty",
        )
    return FoundationStack(scope, _target(scope, env), env, env.foundation, stacks=stacks, existing=existing)


def _target(scope: Construct, env: Environment) -> Target:
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
