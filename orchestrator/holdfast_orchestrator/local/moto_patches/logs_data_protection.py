"""Data protection policies of log groups: masking what must not be read.

moto 5.2.1 has none of the three operations.
AWS keeps one policy a group and masks matching data. We keep the policy; nothing is masked.
"""

from collections.abc import Mapping
from typing import Any

from holdfast_orchestrator.local.moto_patches._moto import memory, moto, operation


def close() -> None:
    """Keep a group's data protection policy."""
    responses = moto("logs.responses").LogsResponse

    @operation(responses, "PutDataProtectionPolicy")
    def put(self: Any, params: Mapping[str, Any]) -> object:
        _kept(self, params)["document"] = params["policyDocument"]
        return _shown(self, params)

    @operation(responses, "GetDataProtectionPolicy")
    def get(self: Any, params: Mapping[str, Any]) -> object:
        return _shown(self, params)

    @operation(responses, "DeleteDataProtectionPolicy")
    def delete(self: Any, params: Mapping[str, Any]) -> None:
        _kept(self, params).clear()


def _shown(self: Any, params: Mapping[str, Any]) -> dict[str, Any]:
    shown = {"logGroupIdentifier": params["logGroupIdentifier"]}
    document = _kept(self, params).get("document")
    return shown if document is None else {**shown, "policyDocument": document}


def _kept(self: Any, params: Mapping[str, Any]) -> dict[Any, Any]:
    name = params["logGroupIdentifier"].rpartition(":log-group:")[2].removesuffix(":*")
    group = self.logs_backend.groups.get(name)
    if group is None:
        raise moto("logs.exceptions").ResourceNotFoundException("The specified log group does not exist.")
    return memory(group, "data_protection")
