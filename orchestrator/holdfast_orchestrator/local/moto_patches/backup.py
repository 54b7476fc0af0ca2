"""AWS Backup: selections, plan updates, tags.

moto 5.2.1 keeps the tags of vaults and plans, but its route for reading them needs a slash at the end
that the AWS provider does not send, so the provider sees none and plans them again and again. It has no
UpdateBackupPlan and no selections, and a deleted plan stays readable.
AWS has them. So have we; selections go with their plan.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from holdfast_orchestrator.local.moto_patches._moto import memory, moto, operation, wrap


def close() -> None:
    """Add what moto lacks of backup plans."""
    responses = moto("backup.responses").BackupResponse
    _close_selections(responses)

    @operation(responses, "UpdateBackupPlan")
    def update(self: Any, params: Mapping[str, Any]) -> object:
        kept = self.backup_backend.get_backup_plan(params["backupPlanId"].strip("/"), None)
        new = moto("backup.models").Plan(params["BackupPlan"], kept.creator_request_id, self.backup_backend)
        kept.backup_plan, kept.version_id = new.backup_plan, new.version_id
        kept.advanced_backup_settings = new.advanced_backup_settings
        return kept.to_dict()

    @wrap(responses, "list_tags")
    def list_tags(_original: Any, self: Any) -> Any:
        arn = unquote(self.path.split("/tags/")[-1]).rstrip("/")
        return moto("core.responses").ActionResult({"Tags": self.backup_backend.list_tags(arn)})

    @wrap(responses, "delete_backup_plan")
    def delete(original: Any, self: Any) -> Any:
        answer = original(self)
        self.backup_backend.plans.pop(self.path.rstrip("/").split("/")[-1], None)
        return answer


def _close_selections(responses: Any) -> None:
    @operation(responses, "CreateBackupSelection")
    def create(self: Any, params: Mapping[str, Any]) -> object:
        identifier = str(moto("moto_api._internal").mock_random.uuid4())
        created = moto("core.utils").unix_time()
        _selections(self, params)[identifier] = {
            "BackupSelection": params["BackupSelection"],
            "CreatorRequestId": params.get("CreatorRequestId"),
            "CreationDate": created,
        }
        return {"SelectionId": identifier, "BackupPlanId": params["backupPlanId"], "CreationDate": created}

    @operation(responses, "GetBackupSelection")
    def get(self: Any, params: Mapping[str, Any]) -> object:
        identifier = params["selectionId"].strip("/")
        kept = _selections(self, params).get(identifier)
        if kept is None:
            raise moto("backup.exceptions").ResourceNotFoundException(
                f"Cannot find Backup selection {identifier}"
            )
        return {**kept, "SelectionId": identifier, "BackupPlanId": params["backupPlanId"]}

    @operation(responses, "ListBackupSelections")
    def list_selections(self: Any, params: Mapping[str, Any]) -> object:
        plan = params["backupPlanId"]
        return {
            "BackupSelectionsList": [
                {
                    "SelectionId": i,
                    "BackupPlanId": plan,
                    "SelectionName": kept["BackupSelection"]["SelectionName"],
                }
                for i, kept in _selections(self, params).items()
            ]
        }

    @operation(responses, "DeleteBackupSelection")
    def delete(self: Any, params: Mapping[str, Any]) -> None:
        _selections(self, params).pop(params["selectionId"].strip("/"), None)


def _selections(self: Any, params: Mapping[str, Any]) -> dict[Any, Any]:
    return memory(self.backup_backend.get_backup_plan(params["backupPlanId"], None), "selections")
