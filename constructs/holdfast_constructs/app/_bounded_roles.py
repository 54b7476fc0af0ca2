"""Refuses a role without the boundary that the environment's roles have: the CI may not create it."""

from collections.abc import Mapping
from typing import Any

from holdfast_constructs.app._configurations import Configuration
from holdfast_constructs.errors import ConstructError


def refuse_unbounded_roles(configurations: Mapping[str, Configuration], stacks: Any) -> None:
    """Raise ConstructError for the first role without a boundary, of a stack whose target has one."""
    for stack in stacks:
        boundary = stack.target.permissions_boundary
        resources = configurations[stack.name].document.get("resource", {})
        for name, block in resources.get("aws_iam_role", {}).items() if boundary is not None else ():
            if not block.get("permissions_boundary"):
                path = block.get("//", {}).get("metadata", {}).get("path", name)
                raise ConstructError(
                    f"the role {path} has no permission boundary, and every role of "
                    f"{stack.target.environment} has one: [foundation] is in its settings",
                    next_step="give it permissions_boundary=site.target.permissions_boundary",
                )
