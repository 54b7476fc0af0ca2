"""The properties of `Key`."""

from holdfast_constructs.properties import Always, Property, Theme

DIAGRAM = """
key (rotated each year) ── alias
   └── policy: the account, and the AWS services of its purpose on behalf of this account
"""

PROPERTIES = {
    "purpose": Property(
        why="which AWS services may use it, on behalf of this account only",
        controls=("CKV_AWS_33", "FSBP KMS.1"),
        theme=Theme.ACCESS,
    ),
}

ALWAYS = (
    Always(
        resource="aws_kms_key",
        argument="enable_key_rotation",
        value=True,
        why="AWS makes new key material each year",
        controls=("CKV_AWS_7", "FSBP KMS.4", "CIS 3.6"),
        theme=Theme.ENCRYPTED,
    ),
    Always(
        resource="aws_kms_key",
        argument="deletion_window_in_days",
        value=30,
        follows="delete_protection of the target",
        why="what it encrypted is lost with it, so a deletion can be taken back for the longest time",
        controls=("FSBP KMS.3",),
        theme=Theme.RECOVERABLE,
    ),
)
