"""The properties of `Bucket`."""

from holdfast_constructs.properties import Always, Property, Theme

DIAGRAM = """
bucket (private, versioned, encrypted) ── access logs ──▶ another bucket
   └── policy: TLS only, and what is allowed
"""

PROPERTIES = {
    "key": Property(
        why="has no default: None, on purpose, is the key of S3",
        controls=("CKV_AWS_145",),
        theme=Theme.ENCRYPTED,
        satisfied=lambda value, _: value is not None,
    ),
    "expire_days": Property(why="objects stay until somebody deletes them unless told otherwise"),
    "old_version_days": Property(
        why="what was overwritten or deleted by mistake can be restored so long",
        controls=("CKV2_AWS_61", "FSBP S3.10"),
        theme=Theme.RECOVERABLE,
    ),
    "unfinished_days": Property(
        why="parts of uploads that were never finished cost money and are not seen", controls=("CKV_AWS_300",)
    ),
    "intelligent_tiering": Property(why="objects that nobody reads become cheaper, for a fee for each"),
    "access_logs": Property(
        why="who read and wrote what, kept in another bucket",
        controls=("CKV_AWS_18", "FSBP S3.9"),
        theme=Theme.OBSERVED,
    ),
    "events": Property(
        why="what happens in it goes to EventBridge", controls=("CKV2_AWS_62",), theme=Theme.OBSERVED
    ),
}

ALWAYS = (
    Always(
        resource="aws_s3_bucket_public_access_block",
        argument="block_public_acls",
        value=True,
        why="no ACL can make an object public",
        controls=("CKV_AWS_53", "CKV2_AWS_6", "FSBP S3.8", "CIS 2.1.4"),
        theme=Theme.BOUNDARY,
    ),
    Always(
        resource="aws_s3_bucket_public_access_block",
        argument="block_public_policy",
        value=True,
        why="no policy can make the bucket public",
        controls=("CKV_AWS_54", "CKV2_AWS_6", "FSBP S3.8", "CIS 2.1.4"),
        theme=Theme.BOUNDARY,
    ),
    Always(
        resource="aws_s3_bucket_public_access_block",
        argument="ignore_public_acls",
        value=True,
        why="a public ACL that is there counts for nothing",
        controls=("CKV_AWS_55", "FSBP S3.8", "CIS 2.1.4"),
        theme=Theme.BOUNDARY,
    ),
    Always(
        resource="aws_s3_bucket_public_access_block",
        argument="restrict_public_buckets",
        value=True,
        why="only this account and AWS services get in, whatever a policy says",
        controls=("CKV_AWS_56", "FSBP S3.8", "CIS 2.1.4"),
        theme=Theme.BOUNDARY,
    ),
    Always(
        resource="aws_s3_bucket_ownership_controls",
        argument="rule.object_ownership",
        value="BucketOwnerEnforced",
        why="ACLs are switched off: policies alone say who may",
        controls=("CKV2_AWS_65", "FSBP S3.12"),
        theme=Theme.ACCESS,
    ),
    Always(
        resource="aws_s3_bucket_versioning",
        argument="versioning_configuration.status",
        value="Enabled",
        why="what is overwritten or deleted can be restored",
        controls=("CKV_AWS_21", "FSBP S3.14"),
        theme=Theme.RECOVERABLE,
    ),
    Always(
        resource="aws_s3_bucket",
        argument="force_destroy",
        value=False,
        follows="delete_protection of the target",
        why="a bucket with objects in it cannot be deleted",
        theme=Theme.RECOVERABLE,
    ),
)
