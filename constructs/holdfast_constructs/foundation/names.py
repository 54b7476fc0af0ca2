"""Names of the foundation's roles and policies, which other stacks know without waiting for it."""

from holdfast_constructs.app.target import Target
from holdfast_constructs.naming import LIMITS, limited

SERVICE = "foundation"


def role_name(target: Target, part: str) -> str:
    """Return the name of a role or policy; without a region, because an environment has one foundation."""
    words = filter(None, (target.project, SERVICE, target.environment, part))
    return limited("-".join(words), LIMITS["role"])


def boundary_arn(target: Target) -> str:
    """Return the ARN of the policy that bounds every role of an environment."""
    return f"arn:{target.partition}:iam::{target.account}:policy/{role_name(target, 'boundary')}"
