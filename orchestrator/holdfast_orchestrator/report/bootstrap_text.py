"""What `holdfast bootstrap` shows before it changes anything."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from holdfast_orchestrator.bootstrap.preview import BootstrapPreview
from holdfast_orchestrator.report.plan_text import plan_lines


@dataclass(frozen=True, slots=True, kw_only=True)
class BootstrapDocument:
    """`holdfast bootstrap --json` without --yes.

    `bucket_is` says what the state bucket is to the foundation: absent, its own (ours), empty (bare), or one
    that was named (others). `steps` are what would be done to the bucket itself.
    """

    schema: Literal["holdfast/bootstrap/v1"] = "holdfast/bootstrap/v1"
    environment: str
    account: str
    bucket: str
    region: str
    bucket_is: Literal["absent", "ours", "bare", "others"]
    steps: tuple[str, ...]
    added: int
    changed: int
    destroyed: int
    has_changes: bool
    reason: str | None


def bootstrap_document(preview: BootstrapPreview) -> BootstrapDocument:
    """Return the document of a dry run."""
    (planned,) = preview.plan.shards
    document = planned.document
    return BootstrapDocument(
        environment=preview.place.environment,
        account=preview.place.account,
        bucket=preview.place.bucket,
        region=preview.place.region,
        bucket_is=preview.sight.standing.value,
        steps=preview.steps,
        added=0 if document is None else document.added,
        changed=0 if document is None else document.changed,
        destroyed=0 if document is None else document.destroyed,
        has_changes=preview.has_changes,
        reason=planned.failure,
    )


def bootstrap_lines(preview: BootstrapPreview, again: str | None) -> Iterator[str]:
    """Yield what would be done; `again` is the command that does it, where nobody can be asked."""
    place = preview.place
    yield f"foundation of {place.environment} in account {place.account}"
    yield ""
    yield f"state bucket {place.bucket} in {place.region}"
    yield from (f"  {step}" for step in preview.steps or ("nothing to do",))
    if preview.sight.has:
        yield f"  it has {', '.join(preview.sight.has)}: objects stay, the plan's settings replace its own"
    yield ""
    yield from plan_lines(preview.plan)
    if again is not None:
        yield ""
        yield "nothing was changed; to do it:"
        yield f"  {again}"
