"""The settings of the bucket that holds the states of an environment.

The bucket itself is no resource: a state that manages the place where it is kept could delete it in an apply.
`holdfast bootstrap` creates it before, and these settings are imported where it has them already.
"""

from cdktf import TerraformResource
from cdktf_cdktf_provider_aws.kms_alias import KmsAlias
from cdktf_cdktf_provider_aws.kms_key import KmsKey
from cdktf_cdktf_provider_aws.s3_bucket_lifecycle_configuration import (
    S3BucketLifecycleConfiguration,
    S3BucketLifecycleConfigurationRule,
    S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload,
    S3BucketLifecycleConfigurationRuleExpiration,
    S3BucketLifecycleConfigurationRuleFilter,
    S3BucketLifecycleConfigurationRuleNoncurrentVersionExpiration,
)
from cdktf_cdktf_provider_aws.s3_bucket_logging import S3BucketLoggingA
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
from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.security._resource_policy import encrypted_transport_only
from holdfast_constructs.security.keys import LONGEST_WINDOW_DAYS, SHORTEST_WINDOW_DAYS
from holdfast_constructs.security.policy import Statement, literal_policy
from holdfast_constructs.storage.bucket import Bucket

# Amazon S3, PutBucketLifecycleConfiguration: NewerNoncurrentVersions is at most 100.
MOST_KEPT_VERSIONS = 100
_UNFINISHED_DAYS = 7
# The prefixes of Holdfast's own records, and the rules that its runs would add (`holdfast audit lifecycle`).
_AUDIT_RULES = {"holdfast-audit": "_holdfast/audit/", "holdfast-audit-raw": "_holdfast/audit-raw/"}


@checked
class StateBucketSettings(Construct):
    """How the state bucket `bucket` is set up: versioned, closed, encrypted, over TLS only, cleaned up.

    `kms_key` is a key's id or ARN, an alias, or None for S3's own key. For an alias a key is made here, which
    has it. Overwritten and deleted objects stay `old_version_days`, and the newest `kept_versions` of each
    (1-100) stay however old they are: a rollback looks for earlier deployments among them. Audit records stay
    `audit_days`. `access_logs` keeps who read and wrote what.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        bucket: str,
        kms_key: str | None,
        old_version_days: int,
        kept_versions: int,
        audit_days: int,
        access_logs: Bucket | None,
    ) -> None:
        super().__init__(scope, id_)
        self._stack = ServiceStack.of(self)
        self._bucket = bucket
        self.arn = f"arn:{self._stack.target.partition}:s3:::{bucket}"
        self.key = self._make_key(kms_key) if (kms_key or "").startswith("alias/") else None
        self._version()
        closed = self._close()
        self._encrypt(kms_key if self.key is None else self.key.arn)
        self._require_tls(closed)
        self._clean_up(old_version_days, min(kept_versions, MOST_KEPT_VERSIONS), audit_days)
        if access_logs is not None:
            self._log_to(access_logs)

    def _make_key(self, alias: str | None) -> KmsKey:
        target = self._stack.target
        root = f"arn:{target.partition}:iam::{target.account}:root"
        key = KmsKey(
            self,
            "key",
            description=f"states of {target.environment}",
            enable_key_rotation=True,
            deletion_window_in_days=LONGEST_WINDOW_DAYS if target.delete_protection else SHORTEST_WINDOW_DAYS,
            policy=literal_policy(
                Statement(sid="AccountDecidesByIam", actions=("kms:*",), principals=(root,))
            ),
        )
        KmsAlias(self, "alias", name=alias, target_key_id=key.key_id)
        self._stack.protect(key)
        return key

    def _version(self) -> None:
        self._versioning = S3BucketVersioningA(
            self,
            "versioning",
            bucket=self._bucket,
            versioning_configuration=S3BucketVersioningVersioningConfiguration(status="Enabled"),
        )
        self._stack.protect(self._versioning)

    def _close(self) -> TerraformResource:
        S3BucketOwnershipControls(
            self,
            "ownership",
            bucket=self._bucket,
            rule=S3BucketOwnershipControlsRule(object_ownership="BucketOwnerEnforced"),
        )
        return S3BucketPublicAccessBlock(
            self,
            "private",
            bucket=self._bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
        )

    def _encrypt(self, kms_key: str | None) -> None:
        S3BucketServerSideEncryptionConfigurationA(
            self,
            "encryption",
            bucket=self._bucket,
            rule=[
                S3BucketServerSideEncryptionConfigurationRuleA(
                    apply_server_side_encryption_by_default=(
                        S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA(
                            sse_algorithm="AES256" if kms_key is None else "aws:kms",
                            kms_master_key_id=kms_key,
                        )
                    ),
                    bucket_key_enabled=kms_key is not None or None,
                )
            ],
        )

    def _require_tls(self, closed: TerraformResource) -> None:
        # Two changes to a bucket's access at once answer 409.
        S3BucketPolicy(
            self,
            "policy",
            bucket=self._bucket,
            policy=literal_policy(encrypted_transport_only("s3:*", self.arn, f"{self.arn}/*")),
            depends_on=[closed],
        )

    def _clean_up(self, old_version_days: int, kept_versions: int, audit_days: int) -> None:
        old = S3BucketLifecycleConfigurationRule(
            id="old-versions",
            status="Enabled",
            filter=[S3BucketLifecycleConfigurationRuleFilter(prefix="")],
            noncurrent_version_expiration=[
                S3BucketLifecycleConfigurationRuleNoncurrentVersionExpiration(
                    noncurrent_days=old_version_days, newer_noncurrent_versions=kept_versions
                )
            ],
            abort_incomplete_multipart_upload=[
                S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload(
                    days_after_initiation=_UNFINISHED_DAYS
                )
            ],
        )
        S3BucketLifecycleConfiguration(
            self,
            "lifecycle",
            bucket=self._bucket,
            rule=[old, *(_audit_rule(name, prefix, audit_days) for name, prefix in _AUDIT_RULES.items())],
            # S3 refuses rules on versions before it knows that there are any.
            depends_on=[self._versioning],
        )

    def _log_to(self, logs: Bucket) -> None:
        S3BucketLoggingA(
            self,
            "access-logging",
            bucket=self._bucket,
            target_bucket=logs.accept_logs(self._bucket, self.arn),
            target_prefix=f"{self._bucket}/",
            depends_on=[logs.policy],
        )


def _audit_rule(name: str, prefix: str, days: int) -> S3BucketLifecycleConfigurationRule:
    return S3BucketLifecycleConfigurationRule(
        id=name,
        status="Enabled",
        filter=[S3BucketLifecycleConfigurationRuleFilter(prefix=prefix)],
        expiration=[S3BucketLifecycleConfigurationRuleExpiration(days=days)],
        noncurrent_version_expiration=[
            S3BucketLifecycleConfigurationRuleNoncurrentVersionExpiration(noncurrent_days=days)
        ],
    )
