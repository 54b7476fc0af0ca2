"""Budgets: tags, subscribers, updates.

moto 5.2.1 creates and deletes budgets, but has no UpdateBudget, no tags, and does not tell who is
subscribed to a notification: `aws_budgets_budget` fails with or without notifications.
AWS has them all. So have we; a budget's tags go with the budget.
"""

from collections.abc import Mapping
from typing import Any

from holdfast_orchestrator.local.moto_patches._moto import memory, moto, operation, wrap


def close() -> None:
    """Add the operations of budgets moto lacks."""
    responses = moto("budgets.responses").BudgetsResponse
    _close_tags(responses)
    _close_subscribers(responses)

    @operation(responses, "UpdateBudget")
    def update(self: Any, params: Mapping[str, Any]) -> None:
        new = params["NewBudget"]
        kept = _budget(self, params["AccountId"], new["BudgetName"])
        kept.budget = {"TimePeriod": kept.budget["TimePeriod"], **new}
        kept.budget["LastUpdatedTime"] = moto("core.utils").unix_time()


def _close_tags(responses: Any) -> None:
    @operation(responses, "TagResource")
    def tag(self: Any, params: Mapping[str, Any]) -> None:
        _tags(self, params["ResourceARN"]).update({t["Key"]: t["Value"] for t in params["ResourceTags"]})

    @operation(responses, "UntagResource")
    def untag(self: Any, params: Mapping[str, Any]) -> None:
        for key in params["ResourceTagKeys"]:
            _tags(self, params["ResourceARN"]).pop(key, None)

    @operation(responses, "ListTagsForResource")
    def list_tags(self: Any, params: Mapping[str, Any]) -> object:
        tags = _tags(self, params["ResourceARN"])
        return {"ResourceTags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    @wrap(responses, "create_budget")
    def create(original: Any, self: Any) -> Any:
        answer = original(self)
        account, name = self._get_param("AccountId"), self._get_param("Budget")["BudgetName"]
        tags = self._get_param("ResourceTags", [])
        memory(_budget(self, account, name), "tags").update({t["Key"]: t["Value"] for t in tags})
        return answer


def _close_subscribers(responses: Any) -> None:
    @operation(responses, "DescribeSubscribersForNotification")
    def describe(self: Any, params: Mapping[str, Any]) -> object:
        return {"Subscribers": _notification(self, params).subscribers}

    @operation(responses, "CreateSubscriber")
    def create(self: Any, params: Mapping[str, Any]) -> None:
        _notification(self, params).subscribers.append(params["Subscriber"])

    @operation(responses, "DeleteSubscriber")
    def delete(self: Any, params: Mapping[str, Any]) -> None:
        _notification(self, params).subscribers.remove(params["Subscriber"])

    @operation(responses, "UpdateSubscriber")
    def update_subscriber(self: Any, params: Mapping[str, Any]) -> None:
        kept = _notification(self, params).subscribers
        kept[kept.index(params["OldSubscriber"])] = params["NewSubscriber"]

    @operation(responses, "UpdateNotification")
    def update(self: Any, params: Mapping[str, Any]) -> None:
        found = _notification(self, {**params, "Notification": params["OldNotification"]})
        found.details = params["NewNotification"]


def _budget(self: Any, account: str, name: str) -> Any:
    # describe_budget raises moto's own NotFoundException.
    self.backend.describe_budget(account, name)
    return self.backend.budgets[account][name]


def _tags(self: Any, arn: str) -> dict[Any, Any]:
    # arn:aws:budgets::<account>:budget/<name>
    return memory(_budget(self, arn.split(":")[4], arn.partition("budget/")[2]), "tags")


def _notification(self: Any, params: Mapping[str, Any]) -> Any:
    wanted = params["Notification"]
    for kept in _budget(self, params["AccountId"], params["BudgetName"]).notifications:
        if all(kept.details.get(key) == wanted.get(key) for key in _IDENTITY):
            return kept
    raise moto("budgets.exceptions").NotFoundException(f"no notification {wanted}")


_IDENTITY = ("NotificationType", "ComparisonOperator", "Threshold")
