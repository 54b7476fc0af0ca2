"""A private bucket: encrypted, versioned, over TLS only, and cleaned up.

No object in it can be public and no ACL counts. Overwritten and deleted objects stay for a while; then they
and uploads that were never finished are gone, so that nothing is paid for that nobody sees.
"""

import re

from cdktf import TerraformResource
from cdktf_cdktf_provider_aws.s3_bucket import S3Bucket
from cdktf_cdktf_provider_aws.s3_bucket_lifecycle_configuration import (
    S3BucketLifecycleConfiguration,
    S3BucketLifecycleConfigurationRule,
    S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload,
    S3BucketLifecycleConfigurationRuleExpiration,
    S3BucketLifecycleConfigurationRuleFilter,
    S3BucketLifecycleConfigurationRuleNoncurrentVersionExpiration,
    S3BucketLifecycleConfigurationRuleTransition,
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

from holdfast_constructs.app._stack_order import wait_for
from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.naming import aws_name
from holdfast_constructs.security._any_key import AnyKey, key_arn, use_key
from holdfast_constructs.security._arns import ANY_REGION, name_in, parse_arn
from holdfast_constructs.security._granting import AnyGrantee, grant_to, kind_of_name, part_name, refuse_user
from holdfast_constructs.security._resource_policy import ResourcePolicy, encrypted_transport_only, sid
from holdfast_constructs.security.access import Access
from holdfast_constructs.security.policy import Condition, Statement, from_this_account
from holdfast_constructs.storage._bucket_rules import Lifecycle, below

_READ = ("s3:GetObject", "s3:GetObjectVersion")
_WRITE = ("s3:AbortMultipartUpload", "s3:DeleteObject", "s3:ListMultipartUploadParts", "s3:PutObject")
_EXAMPLE = "arn:aws:s3:::orders-prod-uploads"


class BucketAccess:
    """What all buckets offer: `arn`, `bucket_name`, and permission to read and to write."""

    name: str
    arn: str
    bucket_name: str
    _key_arn: str | None
    _region: str

    @property
    def default_prefix(self) -> str:
        """What its variables begin with."""
        return "BUCKET"

    def access_for(self, user: str | None) -> Access:
        """Return what a client needs to read and write: the variable NAME. A bucket has no users."""
        refuse_user(user, "a bucket")
        return Access(environment={"NAME": self.bucket_name}, statements=self._read_write(""))

    def grant_read(self, grantee: AnyGrantee, *, prefix: str = "") -> None:
        """Allow a service, or a role, to list and read objects, those below `prefix` where given."""
        statements = (*self._list(prefix), self._objects("Read", _READ, prefix), *self._key("kms:Decrypt"))
        grant_to(grantee, self, "read", *statements, of=below(prefix))

    def grant_write(self, grantee: AnyGrantee, *, prefix: str = "") -> None:
        """Allow a service, or a role, to write and delete objects, those below `prefix` where given."""
        use = self._key("kms:Decrypt", "kms:GenerateDataKey")
        grant_to(grantee, self, "write", self._objects("Write", _WRITE, prefix), *use, of=below(prefix))

    def grant_read_write(self, grantee: AnyGrantee, *, prefix: str = "") -> None:
        """Allow a service, or a role, all of both."""
        grant_to(grantee, self, "read-write", *self._read_write(prefix), of=below(prefix))

    def _read_write(self, prefix: str) -> tuple[Statement, ...]:
        objects = self._objects("ReadAndWrite", (*_READ, *_WRITE), prefix)
        return (*self._list(prefix), objects, *self._key("kms:Decrypt", "kms:GenerateDataKey"))

    def _key(self, *actions: str) -> tuple[Statement, ...]:
        return use_key(self._key_arn, "s3", self._region, *actions)

    def _objects(self, name: str, actions: tuple[str, ...], prefix: str) -> Statement:
        return Statement(sid=name, actions=actions, resources=(f"{self.arn}/{prefix}*",))

    def _list(self, prefix: str) -> tuple[Statement, ...]:
        only = (Condition("StringLike", "s3:prefix", (f"{prefix}*",)),) if prefix else ()
        # Without it a key that does not exist answers 403, and not 404.
        return (Statement(sid="List", actions=("s3:ListBucket",), resources=(self.arn,), conditions=only),)


@checked
class ImportedBucket(BucketAccess):
    """A bucket that somebody else manages; `Bucket.import_` returns one."""

    def __init__(self, arn: str, *, key: AnyKey | None = None, name: str | None = None) -> None:
        parts = parse_arn(arn, "s3", what="arn", example=_EXAMPLE)
        if parts is None and name is None:
            raise ConstructError(
                "the ARN of this bucket is known only after a deploy, and so is its name",
                next_step='give a name to tell it by: Bucket.import_(bucket.arn, name="uploads")',
            )
        self.arn = arn
        self.bucket_name = parts.resource if parts else name_in(arn)
        self.name = name or kind_of_name(re.sub(r"[^A-Za-z0-9-]", "-", self.bucket_name), "bucket")
        self._key_arn = None if key is None else key_arn(key)
        self._region = ANY_REGION


@checked
class Bucket(Construct, BucketAccess):
    """A private S3 bucket, encrypted with `key`, or with S3's own key where `key` is None on purpose.

    `expire_days` is when objects go by themselves (never unless given), `old_version_days` when overwritten
    and deleted ones do, `unfinished_days` when uploads do that were never finished. `intelligent_tiering`
    moves objects that nobody reads to cheaper storage. `access_logs` is a bucket of the same account that
    keeps who read what. With `events` S3 sends what happens in it to EventBridge.

    With the target's `delete_protection` it is protected, and not emptied when it is destroyed. Raises
    ConstructError for what S3 would refuse.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        key: AnyKey | None,
        expire_days: int | None = None,
        old_version_days: int = 90,
        unfinished_days: int = 7,
        intelligent_tiering: bool = False,
        access_logs: "Bucket | None" = None,
        events: bool = False,
    ) -> None:
        super().__init__(scope, id_)
        lifecycle = Lifecycle(
            expire_days=expire_days,
            old_version_days=old_version_days,
            unfinished_days=unfinished_days,
            intelligent_tiering=intelligent_tiering,
        )
        self._stack = ServiceStack.of(self)
        self._target = self._stack.target
        self.name = part_name(self._stack, id_, "bucket")
        self._key_arn = None if key is None else key_arn(key, self._stack.target.region)
        self._region = self._target.region
        self._literal_name = aws_name("bucket", self._target, self._stack.service, id_)
        self.bucket = S3Bucket(
            self, "bucket", bucket=self._literal_name, force_destroy=not self._target.delete_protection
        )
        self.arn, self.bucket_name = self.bucket.arn, self.bucket.bucket
        closed = self._close()
        self._encrypt()
        self._expire(lifecycle)
        own = (self.arn, f"{self.arn}/*")
        self._document = ResourcePolicy(self, "permissions", encrypted_transport_only("s3:*", *own))
        # Two changes to a bucket's access at once answer 409.
        self.policy = S3BucketPolicy(
            self, "policy", bucket=self.bucket.id, policy=self._document.json, depends_on=[closed]
        )
        if events:
            self._send_events()
        if access_logs is not None:
            self._log_to(access_logs)
        if self._target.delete_protection:
            self._protect()

    @classmethod
    def import_(cls, arn: str, *, key: AnyKey | None = None, name: str | None = None) -> ImportedBucket:
        """Return a bucket that exists, by its ARN; `key` is what encrypts it, where that is a key of KMS.

        `name` becomes part of the ids of what is granted; it is needed only where the ARN is known only after
        a deploy.
        """
        return ImportedBucket(arn, key=key, name=name)

    def allow(self, statement: Statement) -> None:
        """Add a statement to the bucket's policy, for an AWS service that reads or writes it."""
        self._document.allow(statement)

    def _protect(self) -> None:
        self._stack.protect(self.bucket)

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
        own_key = self._key_arn is not None
        by_default = S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA(
            sse_algorithm="aws:kms" if own_key else "AES256", kms_master_key_id=self._key_arn
        )
        S3BucketServerSideEncryptionConfigurationA(
            self,
            "encryption",
            bucket=self.bucket.id,
            rule=[
                S3BucketServerSideEncryptionConfigurationRuleA(
                    apply_server_side_encryption_by_default=by_default,
                    # One request to KMS for many objects, and not one for each.
                    bucket_key_enabled=own_key or None,
                )
            ],
        )

    def _expire(self, lifecycle: Lifecycle) -> None:
        versioning = S3BucketVersioningA(
            self,
            "versioning",
            bucket=self.bucket.id,
            versioning_configuration=S3BucketVersioningVersioningConfiguration(status="Enabled"),
        )
        # S3 refuses rules on versions before it knows that there are any.
        S3BucketLifecycleConfiguration(
            self, "lifecycle", bucket=self.bucket.id, rule=[_rule(lifecycle)], depends_on=[versioning]
        )

    def _send_events(self) -> None:
        from cdktf_cdktf_provider_aws.s3_bucket_notification import (  # noqa: PLC0415 - few buckets need it
            S3BucketNotification,
        )

        S3BucketNotification(self, "events", bucket=self.bucket.id, eventbridge=True)

    def _log_to(self, logs: "Bucket") -> None:
        from cdktf_cdktf_provider_aws.s3_bucket_logging import (  # noqa: PLC0415 - few buckets need it
            S3BucketLoggingA,
        )

        there, here = logs._target, self._target  # noqa: SLF001 - of the same class
        if (there.account, there.region) != (here.account, here.region):
            raise ConstructError(
                "access_logs",
                got=f"a bucket in {there.region} of {there.account}",
                allowed=f"a bucket in {here.region} of {here.account}: S3 writes access logs to no other",
            )
        wait_for(self, logs, logs.name)
        S3BucketLoggingA(
            self,
            "access-logging",
            bucket=self.bucket.id,
            target_bucket=logs.accept_logs(self._literal_name, self._literal_arn),
            target_prefix=f"{self._literal_name}/",
            depends_on=[logs.policy] if ServiceStack.of(logs) is self._stack else None,
        )

    @property
    def _literal_arn(self) -> str:
        """The ARN as a text, for a policy of another stack that does not wait for this one."""
        return f"arn:{self._target.partition}:s3:::{self._literal_name}"

    def accept_logs(self, name: str, source_arn: str) -> str:
        """Let S3 write the access logs of the bucket `source_arn` here; return this bucket's name."""
        if self._key_arn is not None:
            raise ConstructError(
                f"S3 writes no access logs to {self.node.id}, a bucket with a key of KMS",
                next_step="give the bucket for logs key=None, which is S3's own key",
            )
        own = from_this_account(self._target)
        self.allow(
            Statement(
                sid=f"{sid(name)}Logs",
                actions=("s3:PutObject",),
                resources=(f"{self.arn}/{source_arn.rpartition(':')[2]}/*",),
                services=("logging.s3.amazonaws.com",),
                conditions=(own, Condition("ArnEquals", "aws:SourceArn", (source_arn,))),
            )
        )
        return self.bucket_name


def _rule(lifecycle: Lifecycle) -> S3BucketLifecycleConfigurationRule:
    expires, tiered = lifecycle.expire_days, lifecycle.intelligent_tiering
    return S3BucketLifecycleConfigurationRule(
        id="expire",
        status="Enabled",
        filter=[S3BucketLifecycleConfigurationRuleFilter(prefix="")],
        expiration=None if expires is None else [S3BucketLifecycleConfigurationRuleExpiration(days=expires)],
        transition=[S3BucketLifecycleConfigurationRuleTransition(days=0, storage_class="INTELLIGENT_TIERING")]
        if tiered
        else None,
        noncurrent_version_expiration=[
            S3BucketLifecycleConfigurationRuleNoncurrentVersionExpiration(
                noncurrent_days=lifecycle.old_version_days
            )
        ],
        abort_incomplete_multipart_upload=[
            S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload(
                days_after_initiation=lifecycle.unfinished_days
            )
        ],
    )
