"""Attributes of SNS topics: tracing, delivery feedback, signature version, archive policy.

moto 5.2.1 takes every attribute and answers with a fixed list of some, so that the others are planned again
and again.
AWS answers with each attribute as it was set. So do we.
"""

from typing import Any

from holdfast_orchestrator.local.moto_patches._moto import memory, moto, wrap

_BY_MOTO = frozenset(
    {"Policy", "DisplayName", "DeliveryPolicy", "KmsMasterKeyId", "FifoTopic", "ContentBasedDeduplication"}
)


def close() -> None:
    """Keep the attributes of a topic that moto does not answer with."""
    responses = moto("sns.responses").SNSResponse

    @wrap(responses, "create_topic")
    def create(original: Any, self: Any) -> Any:
        given = dict(self._get_param("Attributes", {}))
        answer = original(self)
        _keep(self.backend.get_topic(answer.result["TopicArn"]), given)
        return answer

    @wrap(responses, "set_topic_attributes")
    def set_one(original: Any, self: Any) -> Any:
        given = {self._get_param("AttributeName"): self._get_param("AttributeValue")}
        _keep(self.backend.get_topic(self._get_param("TopicArn")), given)
        return original(self)

    @wrap(responses, "get_topic_attributes")
    def get(original: Any, self: Any) -> Any:
        answer = original(self)
        kept = memory(self.backend.get_topic(self._get_param("TopicArn")), "attributes")
        answer.result["Attributes"].update({name: value for name, value in kept.items() if value})
        return answer


def _keep(topic: Any, given: dict[str, Any]) -> None:
    own = {name: value or "" for name, value in given.items() if name not in _BY_MOTO}
    memory(topic, "attributes").update(own)
