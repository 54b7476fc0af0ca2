"""Accepts a difference that a provider shows after every apply, where the resource is created."""

from datetime import date

from cdktf import TerraformResource

from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.errors import ConstructError


@checked
def accept_difference(
    resource: TerraformResource,
    attribute: str,
    *,
    reason: str,
    owner: str,
    expires: date | None = None,
) -> None:
    """Accept that a plan right after an apply shows a change of one attribute of `resource`.

    Use it for what never settles: a provider that rewrites the value, a stamp of the time. `attribute` is a
    path (`policy`, `tags["stamp"]`, `ingress[*].description`) and covers what is below it; nothing else about
    the resource may differ. `reason` and `owner` are shown with every plan; `expires` is the last day it
    counts.

    Raises ConstructError without a reason, an owner or an attribute, and outside of a ServiceStack.
    """
    given = {"attribute": attribute, "reason": reason, "owner": owner}
    for name, text in given.items():
        if not text.strip():
            raise ConstructError(f"accept_difference: {name}", got=text, allowed="some words")
    until = {} if expires is None else {"expires": expires.isoformat()}
    ServiceStack.of(resource).accept_difference(resource, {**given, **until})
