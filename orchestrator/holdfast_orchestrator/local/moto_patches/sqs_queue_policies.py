"""Policies of SQS queues: redrive, who may use a queue for dead letters, and who may use it at all.

moto 5.2.1 answers `RedrivePolicy` with spaces, so that a policy written without is planned again and again;
it does not know `RedriveAllowPolicy`, and the reading fails; and it forgets a queue's `Policy` with the next
change of anything else.
AWS answers compact JSON, knows both, and keeps what a change does not name. So do we.
"""

import json
from typing import Any

from holdfast_orchestrator.local.moto_patches._moto import attach, moto, wrap

_ALLOW = "RedriveAllowPolicy"


def close() -> None:
    """Keep and answer a queue's policies as AWS does."""
    queue = moto("sqs.models").Queue
    plain = queue.attributes.fget
    attach(queue, "redrive_allow_policy", None)
    queue.BASE_ATTRIBUTES.append(_ALLOW)

    def attributes(self: Any) -> dict[str, Any]:
        shown = {name: value for name, value in plain(self).items() if name != _ALLOW or value}
        compact = {name: _compact(shown[name]) for name in (_ALLOW, "RedrivePolicy") if shown.get(name)}
        return shown | compact

    attach(queue, "attributes", property(attributes))

    @wrap(queue, "_set_attributes")
    def set_attributes(original: Any, self: Any, given: dict[str, Any], now: Any = None) -> None:
        original(self, {"Policy": getattr(self, "policy", None), **given}, now)


def _compact(document: str) -> str:
    return json.dumps(json.loads(document), separators=(",", ":"))
