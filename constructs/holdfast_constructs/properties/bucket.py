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

ALWAYS: tuple[Always, ...] = ()
