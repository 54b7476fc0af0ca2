"""Which IAM actions a role needs for the resource types that stacks have.

`actions.csv` says for each type what the AWS provider calls to create, read, update and delete it, in IAM's
names for the actions: AWS, Service Authorization Reference; and the calls that the provider makes, as a test
records them on the local cloud. `passed_to` is the service that gets a role of ours, `linked` the service
whose service-linked role AWS makes with the first resource of the type.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from holdfast_constructs.errors import ConstructError
from holdfast_constructs.settings.foundation import TypeActions

# What Holdfast itself calls where a stack has such a resource: its health checks and its migrations.
_OF_DEPLOYS: Mapping[str, tuple[str, ...]] = {
    "aws_cloudwatch_composite_alarm": ("cloudwatch:DescribeAlarms",),
    "aws_cloudwatch_metric_alarm": ("cloudwatch:DescribeAlarms",),
    "aws_ecs_service": ("ecs:DescribeServices",),
    "aws_ecs_task_definition": ("ecs:DescribeTasks", "ecs:ListTasks", "ecs:RunTask"),
    "aws_lb_target_group": ("elasticloadbalancing:DescribeTargetHealth",),
}
# Objects in a bucket that is emptied when it is destroyed (`force_destroy`).
_EMPTYING = (
    "s3:BypassGovernanceRetention",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:ListBucketVersions",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Actions:
    """What a plan reads, what a deploy changes besides, and whom it hands roles to."""

    read: frozenset[str] = frozenset()
    write: frozenset[str] = frozenset()
    passed_to: frozenset[str] = frozenset()
    linked: frozenset[str] = frozenset()

    def __or__(self, other: "Actions") -> "Actions":
        """Return both together."""
        return Actions(
            read=self.read | other.read,
            write=self.write | other.write,
            passed_to=self.passed_to | other.passed_to,
            linked=self.linked | other.linked,
        )

    @property
    def services(self) -> frozenset[str]:
        """The prefixes of the actions."""
        return frozenset(action.partition(":")[0] for action in self.read | self.write)


@cache
def table() -> Mapping[str, Actions]:
    """Return the actions of each type that is known; a data source is `data.<type>`."""
    text = (files(__package__) / "actions.csv").read_text(encoding="utf-8")
    return {row["type"]: _row(row) for row in csv.DictReader(text.splitlines())}


def actions_for(configurations: Mapping[str, Mapping[str, Any]], extra: Mapping[str, TypeActions]) -> Actions:
    """Return the actions for these synthesized stacks, by their names.

    `extra` are types of the settings; they take the place of the table's. Raises ConstructError for a type
    that neither has.
    """
    together = Actions()
    for stack, document in sorted(configurations.items()):
        for kind in _types(document):
            together |= _actions_of(kind, stack, extra)
        together |= _of_deploys(document)
    return together


def _actions_of(kind: str, stack: str, extra: Mapping[str, TypeActions]) -> Actions:
    own = extra.get(kind)
    if own is not None:
        return Actions(
            read=frozenset(own.read), write=frozenset(own.write), passed_to=frozenset(own.passed_to)
        )
    if kind in table():
        return table()[kind]
    raise ConstructError(
        f"nothing is known of what a deploy of {kind} in {stack} calls, and a role gets no wildcard",
        next_step=f'write it into the settings: [foundation.actions."{kind}"] with read = [...] and '
        "write = [...], from the Service Authorization Reference of AWS",
    )


def _types(document: Mapping[str, Any]) -> Iterable[str]:
    yield from document.get("resource", {})
    for kind in document.get("data", {}):
        # A state that is read is an object of the state bucket.
        if kind != "terraform_remote_state":
            yield f"data.{kind}"


def _of_deploys(document: Mapping[str, Any]) -> Actions:
    resources = document.get("resource", {})
    write = {action for kind in resources for action in _OF_DEPLOYS.get(kind, ())}
    if any(bucket.get("force_destroy") for bucket in resources.get("aws_s3_bucket", {}).values()):
        write.update(_EMPTYING)
    return Actions(write=frozenset(write))


def _row(row: Mapping[str, str]) -> Actions:
    changes = (row["create"], row["update"], row["delete"])
    return Actions(
        read=frozenset(row["read"].split()),
        write=frozenset(action for each in changes for action in each.split()),
        passed_to=frozenset(row["passed_to"].split()),
        linked=frozenset(row["linked"].split()),
    )
