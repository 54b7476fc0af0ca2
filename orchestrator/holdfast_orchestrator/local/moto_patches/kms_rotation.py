"""The rotation period of KMS keys.

moto 5.2.1 forgets `RotationPeriodInDays`: `rotation_period_in_days` is planned again and again.
AWS answers GetKeyRotationStatus with the period where rotation is on (365 days by default).
So do we.
"""

import json
from typing import Any

from holdfast_orchestrator.local.moto_patches._moto import memory, moto, wrap

_DEFAULT_DAYS = 365


def close() -> None:
    """Keep the rotation period with the key."""
    responses = moto("kms.responses").KmsResponse

    @wrap(responses, "enable_key_rotation")
    def enable(original: Any, self: Any) -> Any:
        answer = original(self)
        memory(_key(self), "rotation")["days"] = self._get_param("RotationPeriodInDays") or _DEFAULT_DAYS
        return answer

    @wrap(responses, "get_key_rotation_status")
    def status(original: Any, self: Any) -> Any:
        answer = json.loads(original(self))
        if answer["KeyRotationEnabled"]:
            answer["RotationPeriodInDays"] = memory(_key(self), "rotation").get("days", _DEFAULT_DAYS)
        return json.dumps(answer)


def _key(self: Any) -> Any:
    return self.kms_backend.keys[self.kms_backend.get_key_id(self._get_param("KeyId"))]
