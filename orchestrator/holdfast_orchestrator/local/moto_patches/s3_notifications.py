"""S3 notifications to EventBridge.

moto 5.2.1 takes `EventBridgeConfiguration`, and sends the events, but leaves it out of what it says of
the bucket: `eventbridge = true` is planned again and again.
AWS answers with an empty `EventBridgeConfiguration` where it is on.
So do we.
"""

import re
from typing import Any

from holdfast_orchestrator.local.moto_patches._moto import moto, wrap

_END = re.compile(r"<NotificationConfiguration[^>]*/>|</NotificationConfiguration>")


def close() -> None:
    """Say of a bucket that its events go to EventBridge."""

    @wrap(moto("s3.responses").S3Response, "get_bucket_notification")
    def get(original: Any, self: Any) -> Any:
        status, headers, body = original(self)
        kept = self.backend.get_bucket_notification_configuration(self.bucket_name)
        if kept is None or kept.event_bridge is None:
            return status, headers, body
        text = body.decode() if isinstance(body, bytes) else body
        return status, headers, _END.sub(_with_event_bridge, text)


def _with_event_bridge(end: re.Match[str]) -> str:
    # Where nothing else is configured moto writes an element that ends where it begins.
    opened = end.group().removesuffix("/>") + ">" if end.group().endswith("/>") else ""
    return f"{opened}<EventBridgeConfiguration/></NotificationConfiguration>"
