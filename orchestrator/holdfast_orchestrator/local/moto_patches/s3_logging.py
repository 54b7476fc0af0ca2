"""S3 access logs into a bucket whose policy speaks of everybody.

moto 5.2.1 asks every statement of the policy for its service, and fails at one whose principal is `"*"`, as
the usual "deny everything that does not come over TLS" has it.
AWS looks for a statement that lets the logging service write. So do we.
"""

import json
from typing import Any

from holdfast_orchestrator.local.moto_patches._moto import attach, moto, wrap


def close() -> None:
    """Show moto only the statements that speak of somebody."""
    bucket = moto("s3.models").FakeBucket

    @wrap(bucket, "_log_permissions_enabled_policy")
    def permitted(original: Any, target_bucket: Any, target_prefix: Any) -> Any:
        whole = target_bucket.policy
        if not whole:
            return False
        policy = json.loads(whole)
        policy["Statement"] = [
            each for each in policy["Statement"] if isinstance(each.get("Principal"), dict)
        ]
        target_bucket.policy = json.dumps(policy).encode()
        try:
            return original(target_bucket, target_prefix)
        finally:
            target_bucket.policy = whole

    # A function takes the place of a static method.
    attach(
        bucket,
        "_log_permissions_enabled_policy",
        staticmethod(vars(bucket)["_log_permissions_enabled_policy"]),
    )
