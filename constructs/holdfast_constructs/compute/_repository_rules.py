"""What ECR allows of a repository, and the lifecycle of its images as ECR reads it."""

import json
import re
from collections.abc import Sequence
from typing import Any

from holdfast_constructs._tokens import is_number_token
from holdfast_constructs.errors import ConstructError

_ACCOUNT = re.compile(r"[0-9]{12}")


def lifecycle_policy(untagged_days: int, keep_images: int | None) -> str:
    """Return the policy that expires images; raises ConstructError for numbers that ECR refuses."""
    _check_positive("untagged_days", untagged_days)
    rules: list[dict[str, Any]] = [
        _rule(
            1,
            f"untagged for {untagged_days} days",
            tagStatus="untagged",
            countType="sinceImagePushed",
            countUnit="days",
            countNumber=untagged_days,
        )
    ]
    if keep_images is not None:
        _check_positive("keep_images", keep_images)
        # ECR evaluates "any" last.
        newest = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": keep_images}
        rules.append(_rule(2, f"not among the newest {keep_images}", **newest))
    return json.dumps({"rules": rules}, separators=(",", ":"))


def check_accounts(accounts: Sequence[str]) -> None:
    """Raise ConstructError for what is no account's number."""
    for account in accounts:
        if _ACCOUNT.fullmatch(account) is None:
            raise ConstructError("pull_accounts", got=account, allowed="numbers of accounts, of 12 digits")


def _check_positive(name: str, value: int) -> None:
    if not is_number_token(value) and value < 1:
        raise ConstructError(name, got=value, allowed="at least 1")


def _rule(priority: int, description: str, **selection: Any) -> dict[str, Any]:
    return {
        "rulePriority": priority,
        "description": description,
        "selection": selection,
        "action": {"type": "expire"},
    }
