"""S3 bucket policies with conditions.

moto 5.2.1 knows one operator, `StringEquals`, and lets every other condition hold, so the usual "deny
whatever does not come over TLS" locks everybody out of the bucket: 403 on every object.
AWS evaluates the condition against the request.
We do too, for the operators bucket policies use. A request to the local cloud counts as having come
over TLS 1.2 although loopback is plain HTTP: otherwise the policy could not be tested at all.
"""

import json
from typing import Any

from holdfast_orchestrator.local.moto_patches._moto import moto, wrap
from holdfast_orchestrator.local.moto_patches._policy import evaluate

_HEADER_KEYS = (
    "x-amz-acl",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-storage-class",
)


def close() -> None:
    """Judge a request by its bucket's policy, conditions and all."""
    verdicts = moto("iam.access_control").PermissionResult
    results = {"allow": verdicts.PERMITTED, "deny": verdicts.DENIED, "neutral": verdicts.NEUTRAL}

    @wrap(moto("s3.models").FakeBucket, "get_permission")
    def get_permission(original: Any, bucket: Any, action: str, resource: str) -> Any:
        if bucket.policy is None:
            return original(bucket, action, resource)
        policy = json.loads(bucket.policy)
        context = _context(bucket.account_id)
        return results[evaluate(policy, action=action, resource=resource, context=context)]


def _context(account: str) -> dict[str, str]:
    import flask  # noqa: PLC0415 - comes with moto

    headers = {
        f"s3:{name}": flask.request.headers[name] for name in _HEADER_KEYS if name in flask.request.headers
    }
    return headers | {
        "aws:securetransport": "true",
        "s3:tlsversion": "1.2",
        "aws:sourceip": "127.0.0.1",
        "aws:principalaccount": account,
        "aws:resourceaccount": account,
        "aws:principalisawsservice": "false",
        "aws:viaawsservice": "false",
    }
