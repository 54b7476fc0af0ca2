"""The bucket a load balancer writes its access logs to.

Encrypted with S3's own key: Elastic Load Balancing cannot write to a bucket with a customer-managed one.
"""

from constructs import Construct

from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.security.policy import Statement
from holdfast_constructs.storage.bucket import Bucket

# Days until an overwritten or deleted log is gone for good.
_OLD_VERSION_DAYS = 30


class AccessLogs(Bucket):
    """A private, versioned bucket for the access logs of one load balancer, kept as long as all logs are.

    Load balancers depend on `policy`: Elastic Load Balancing tries to write before it accepts the bucket.
    """

    def __init__(self, scope: Construct, id_: str) -> None:
        target = ServiceStack.of(scope).target
        super().__init__(
            scope, id_, key=None, expire_days=target.log_retention_days, old_version_days=_OLD_VERSION_DAYS
        )
        self.allow(
            Statement(
                sid="LoadBalancerLogs",
                actions=("s3:PutObject",),
                resources=(f"{self.bucket.arn}/AWSLogs/{target.account}/*",),
                services=("logdelivery.elasticloadbalancing.amazonaws.com",),
            )
        )

    def _protect(self) -> None:
        """Leave it to S3, which keeps a bucket that is not empty: logs are nothing to ask a person about."""
