"""The bucket a load balancer writes its access logs to.

Encrypted with S3's own key: Elastic Load Balancing cannot write to a bucket with a customer-managed one.
"""

from cdktf import TerraformResource
from cdktf_cdktf_provider_aws.s3_bucket import S3Bucket
from cdktf_cdktf_provider_aws.s3_bucket_lifecycle_configuration import (
    S3BucketLifecycleConfiguration,
    S3BucketLifecycleConfigurationRule,
    S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload,
    S3BucketLifecycleConfigurationRuleExpiration,
    S3BucketLifecycleConfigurationRuleFilter,
    S3BucketLifecycleConfigurationRuleNoncurrentVersionExpiration,
)
from cdktf_cdktf_provider_aws.s3_bucket_ownership_controls import (
    S3BucketOwnershipControls,
    S3BucketOwnershipControlsRule,
)
from cdktf_cdktf_provider_aws.s3_bucket_policy import S3BucketPolicy
from cdktf_cdktf_provider_aws.s3_bucket_public_access_block import S3BucketPublicAccessBlock
from cdktf_cdktf_provider_aws.s3_bucket_server_side_encryption_configuration import (
    S3BucketServerSideEncryptionConfigurationA,
    S3BucketServerSideEncryptionConfigurationRuleA,
    S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA,
)
from cdktf_cdktf_provider_aws.s3_bucket_versioning import (
    S3BucketVersioningA,
    S3BucketVersioningVersioningConfiguration,
)
from constructs import Construct

from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.app.target import Target
from holdfast_constructs.naming import aws_name
from holdfast_constructs.security.policy import Condition, Statement, policy_json

# Days until an overwritten or deleted log, and an upload that was never finished, are gone for good.
_NONCURRENT_DAYS, _UNFINISHED_DAYS = 30, 7


class AccessLogs(Construct):
    """A private, versioned bucket for the access logs of one load balancer, kept as long as all logs are.

    Load balancers depend on `policy`: Elastic Load Balancing tries to write before it accepts the bucket.
    """

    def __init__(self, scope: Construct, id_: str) -> None:
        super().__init__(scope, id_)
        stack = ServiceStack.of(self)
        self._target = stack.target
        self.bucket = S3Bucket(
            self,
            "bucket",
            bucket=aws_name("bucket", stack.target, stack.service, id_),
            force_destroy=not stack.target.delete_protection,
        )
        closed = self._close()
        self._encrypt()
        self._expire()
        self.policy = S3BucketPolicy(
            self,
            "policy",
            bucket=self.bucket.id,
            policy=policy_json(self, "permissions", *_statements(self.bucket.arn, stack.target)),
            # Two changes to a bucket's access at once answer 409.
            depends_on=[closed],
        )

    def _close(self) -> TerraformResource:
        S3BucketOwnershipControls(
            self,
            "ownership",
            bucket=self.bucket.id,
            rule=S3BucketOwnershipControlsRule(object_ownership="BucketOwnerEnforced"),
        )
        return S3BucketPublicAccessBlock(
            self,
            "private",
            bucket=self.bucket.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
        )

    def _encrypt(self) -> None:
        by_default = S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA(
            sse_algorithm="AES256"
        )
        S3BucketServerSideEncryptionConfigurationA(
            self,
            "encryption",
            bucket=self.bucket.id,
            rule=[
                S3BucketServerSideEncryptionConfigurationRuleA(
                    apply_server_side_encryption_by_default=by_default
                )
            ],
        )

    def _expire(self) -> None:
        versioning = S3BucketVersioningA(
            self,
            "versioning",
            bucket=self.bucket.id,
            versioning_configuration=S3BucketVersioningVersioningConfiguration(status="Enabled"),
        )
        rule = S3BucketLifecycleConfigurationRule(
            id="expire",
            status="Enabled",
            filter=[S3BucketLifecycleConfigurationRuleFilter(prefix="")],
            expiration=[S3BucketLifecycleConfigurationRuleExpiration(days=self._target.log_retention_days)],
            noncurrent_version_expiration=[
                S3BucketLifecycleConfigurationRuleNoncurrentVersionExpiration(
                    noncurrent_days=_NONCURRENT_DAYS
                )
            ],
            abort_incomplete_multipart_upload=[
                S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload(
                    days_after_initiation=_UNFINISHED_DAYS
                )
            ],
        )
        S3BucketLifecycleConfiguration(
            self, "lifecycle", bucket=self.bucket.id, rule=[rule], depends_on=[versioning]
        )


def _statements(bucket_arn: str, target: Target) -> tuple[Statement, ...]:
    return (
        Statement(
            sid="LoadBalancerLogs",
            actions=("s3:PutObject",),
            resources=(f"{bucket_arn}/AWSLogs/{target.account}/*",),
            services=("logdelivery.elasticloadbalancing.amazonaws.com",),
        ),
        Statement(
            sid="EncryptedTransportOnly",
            effect="Deny",
            actions=("s3:*",),
            resources=(bucket_arn, f"{bucket_arn}/*"),
            principals=("*",),
            conditions=(Condition("Bool", "aws:SecureTransport", ("false",)),),
        ),
    )
