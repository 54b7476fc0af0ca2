"""Default account settings of ECS.

moto 5.2.1 has PutAccountSetting, for one user, but not PutAccountSettingDefault, for everybody, which is
the one `aws_ecs_account_setting_default` uses.
AWS keeps both. Here everybody is one user, so we keep them in one place.
"""

from collections.abc import Mapping
from typing import Any

from holdfast_orchestrator.local.moto_patches._moto import moto, operation


def close() -> None:
    """Add PutAccountSettingDefault."""

    @operation(moto("ecs.responses").EC2ContainerServiceResponse, "PutAccountSettingDefault")
    def put(self: Any, params: Mapping[str, Any]) -> object:
        kept = self.ecs_backend.put_account_setting(params["name"], params["value"])
        kept.principal_arn = f"arn:aws:iam::{self.current_account}:root"
        return {"setting": kept}
