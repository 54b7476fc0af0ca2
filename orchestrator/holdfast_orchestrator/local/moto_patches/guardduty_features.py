"""Features of a GuardDuty detector.

moto 5.2.1 replaces all features of a detector by those an UpdateDetector names.
AWS changes those that are named and keeps the others. So do we.
"""

from typing import Any

from holdfast_orchestrator.local.moto_patches._moto import moto, wrap


def close() -> None:
    """Keep the features that an update does not name."""

    @wrap(moto("guardduty.models").Detector, "update")
    def update(original: Any, self: Any, *settings: Any) -> Any:
        *others, features = settings
        if features is not None:
            kept = {feature["name"]: feature for feature in self.features or []}
            features = [*(kept | {feature["name"]: feature for feature in features}).values()]
        return original(self, *others, features)
