"""Statements of a Lambda function's policy that are there already.

moto 5.2.1 adds a second statement of the same id; RemovePermission then takes away the first one it finds.
AWS refuses: ResourceConflictException.
So do we.
"""

import json
from typing import Any

from holdfast_orchestrator.local.moto_patches._moto import moto, wrap


def close() -> None:
    """Refuse a statement whose id the policy has."""
    refusal = moto("awslambda.exceptions").LambdaClientError

    @wrap(moto("awslambda.models").Policy, "add_statement")
    def add(original: Any, self: Any, raw: str, qualifier: str | None = None) -> Any:
        wanted = json.loads(raw).get("StatementId")
        if any(statement.get("Sid") == wanted for statement in self.statements):
            error = refusal(
                "ResourceConflictException",
                f"The statement id ({wanted}) provided already exists. Please provide a new statement id, "
                "or remove the existing statement.",
            )
            error.code = 409
            raise error
        return original(self, raw, qualifier)
