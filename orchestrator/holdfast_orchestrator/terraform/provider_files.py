"""Where a provider may open files by itself: of AWS it is known in which arguments."""

KNOWN_TYPES = ("aws_", "terraform_")
"""What the names of types begin with of which this is known."""

FILE_ARGUMENTS = frozenset({"filename", "source", "source_dir", "source_file", "zip_file"})
"""Arguments that are paths of files, in some type at least."""

FILE_TYPES = frozenset({"aws_emr_cluster", "aws_s3_bucket_object", "aws_s3_object"})
"""Types that open files by arguments whose names say nothing, or something else elsewhere."""

_ANY_ARGUMENT = frozenset({"aws_emr_cluster"})


def is_known(kind: str) -> bool:
    """Whether a type opens no files but those its FILE_ARGUMENTS name."""
    return kind.startswith(KNOWN_TYPES) and kind not in _ANY_ARGUMENT
