"""IAM policies as values, rendered by Terraform's own aws_iam_policy_document.

A data source and not a JSON string: checkers read it statement by statement even where an ARN in it
is not known yet. The policy of a key is a string all the same: `*` as its resource means that key, which a
checker knows only where it reads the policy as part of the key.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cdktf_cdktf_provider_aws.data_aws_iam_policy_document import (
    DataAwsIamPolicyDocument,
    DataAwsIamPolicyDocumentStatement,
    DataAwsIamPolicyDocumentStatementCondition,
    DataAwsIamPolicyDocumentStatementPrincipals,
)
from constructs import Construct

from holdfast_constructs.app.target import Target
from holdfast_constructs.checking.arguments import checked


@checked
@dataclass(frozen=True, slots=True)
class Condition:
    """A condition of a statement: `Condition("StringEquals", "aws:SourceAccount", ("210987654321",))`."""

    test: str
    variable: str
    values: tuple[str, ...]


@checked
@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement. `services` and `principals` (ARNs) say whom a resource policy speaks of."""

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...] = ("*",)
    effect: str = "Allow"
    services: tuple[str, ...] = ()
    principals: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()


def policy_json(scope: Construct, id_: str, *statements: Statement) -> str:
    """Return the policy's JSON, as a token of a data source called `id_` in `scope`."""
    document = DataAwsIamPolicyDocument(scope, id_, statement=[rendered(each) for each in statements])
    return document.json


def literal_policy(*statements: Statement) -> str:
    """Return the policy as a JSON string, the same for the same statements."""
    document = {"Version": "2012-10-17", "Statement": [_literal(each) for each in statements]}
    return json.dumps(document, sort_keys=True)


def from_this_account(target: Target) -> Condition:
    """Only on behalf of this account: without it another account's service could be the one that asks."""
    return Condition("StringEquals", "aws:SourceAccount", (target.account,))


def assumed_by(service: str, *conditions: Condition) -> Statement:
    """Return the trust of a role that the AWS service `service` takes on."""
    return Statement(
        sid="Assume", actions=("sts:AssumeRole",), resources=(), services=(service,), conditions=conditions
    )


def rendered(statement: Statement) -> DataAwsIamPolicyDocumentStatement:
    """Return a statement as the bindings of the policy document take it."""
    principals = (("AWS", statement.principals), ("Service", statement.services))
    return DataAwsIamPolicyDocumentStatement(
        sid=statement.sid,
        effect=statement.effect,
        actions=list(statement.actions),
        resources=list(statement.resources) or None,
        principals=[
            DataAwsIamPolicyDocumentStatementPrincipals(type=kind, identifiers=list(names))
            for kind, names in principals
            if names
        ]
        or None,
        condition=[
            DataAwsIamPolicyDocumentStatementCondition(
                test=condition.test, variable=condition.variable, values=list(condition.values)
            )
            for condition in statement.conditions
        ]
        or None,
    )


def _literal(statement: Statement) -> dict[str, Any]:
    principals = {"AWS": statement.principals, "Service": statement.services}
    literal = {
        "Sid": statement.sid,
        "Effect": statement.effect,
        "Action": _one_or_list(statement.actions),
        "Resource": _one_or_list(statement.resources),
        "Principal": {kind: _one_or_list(names) for kind, names in principals.items() if names},
    }
    conditions: dict[str, dict[str, Any]] = {}
    for condition in statement.conditions:
        conditions.setdefault(condition.test, {})[condition.variable] = _one_or_list(condition.values)
    return literal | ({"Condition": conditions} if conditions else {})


def _one_or_list(values: Sequence[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)
