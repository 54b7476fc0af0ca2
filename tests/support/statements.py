"""The statements of a synthesized stack's policies, by what tells them apart."""

from collections.abc import Mapping
from typing import Any

from holdfast_constructs.testing import Template

Statements = Mapping[str, Mapping[str, Any]]


def statements_of(template: Template, policy: str) -> Statements:
    """Return the statements that a policy refers to, `${data.aws_iam_policy_document.x.json}`, by sid."""
    address = policy.removeprefix("${").removesuffix(".json}")
    document = template.data("aws_iam_policy_document")[address]
    return {statement["sid"]: statement for statement in document["statement"]}


def granted(template: Template, name: str) -> Statements:
    """Return the statements of the one role's policy of this name."""
    return statements_of(template, template.resource("aws_iam_role_policy", name=name)["policy"])


def conditions(statement: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the values of a statement's conditions, by their variables."""
    return {each["variable"]: each["values"] for each in statement.get("condition", ())}
