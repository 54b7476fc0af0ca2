"""Data protection policies of SNS topics.

moto 5.2.1 has neither PutDataProtectionPolicy nor GetDataProtectionPolicy.
AWS keeps one document a topic, and an empty one takes it away. So do we.
"""

from collections.abc import Mapping
from typing import Any

from holdfast_orchestrator.local.moto_patches._moto import memory, moto, operation


def close() -> None:
    """Add both operations."""
    responses = moto("sns.responses").SNSResponse

    @operation(responses, "PutDataProtectionPolicy")
    def put(self: Any, params: Mapping[str, Any]) -> None:
        topic = self.backend.get_topic(params["ResourceArn"])
        memory(topic, "data_protection")["policy"] = params["DataProtectionPolicy"]

    @operation(responses, "GetDataProtectionPolicy")
    def get(self: Any, params: Mapping[str, Any]) -> object:
        topic = self.backend.get_topic(params["ResourceArn"])
        return {"DataProtectionPolicy": memory(topic, "data_protection").get("policy", "")}
