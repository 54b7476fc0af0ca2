"""Tags of Application Auto Scaling's targets.

moto 5.2.1 has none of the three tag operations; the AWS provider reads tags after every create, so
`aws_appautoscaling_target` always fails.
AWS keeps tags by the target's ARN and forgets them with the target.
So do we.
"""

from collections.abc import Mapping
from typing import Any

from holdfast_orchestrator.local.moto_patches._moto import memory, moto, operation, wrap


def close() -> None:
    """Keep tags on scalable targets."""
    responses = moto("applicationautoscaling.responses").ApplicationAutoScalingResponse

    @operation(responses, "TagResource")
    def tag(self: Any, params: Mapping[str, Any]) -> None:
        _tags(self, params["ResourceARN"]).update(params["Tags"])

    @operation(responses, "UntagResource")
    def untag(self: Any, params: Mapping[str, Any]) -> None:
        for key in params["TagKeys"]:
            _tags(self, params["ResourceARN"]).pop(key, None)

    @operation(responses, "ListTagsForResource")
    def list_tags(self: Any, params: Mapping[str, Any]) -> object:
        return {"Tags": _tags(self, params["ResourceARN"])}

    @wrap(responses, "register_scalable_target")
    def register(original: Any, self: Any) -> Any:
        answer = original(self)
        if tags := self._get_param("Tags"):
            _tags(self, _target(self).arn).update(tags)
        return answer


def _target(self: Any) -> Any:
    targets = self.applicationautoscaling_backend.targets
    return targets[self._get_param("ScalableDimension")][self._get_param("ResourceId")]


def _tags(self: Any, arn: str) -> dict[Any, Any]:
    for targets in self.applicationautoscaling_backend.targets.values():
        for target in targets.values():
            if target.arn == arn:
                return memory(target, "tags")
    exceptions = moto("core.exceptions")
    raise exceptions.JsonRESTError("ObjectNotFoundException", f"No scalable target found: {arn}")
