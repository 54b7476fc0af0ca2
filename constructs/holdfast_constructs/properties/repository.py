"""The properties of `Repository`."""

from holdfast_constructs.properties import Always, Property, Theme

DIAGRAM = """
CI ── push ──▶ repository (immutable tags, scans) ── pull ──▶ services
"""

PROPERTIES = {
    "key": Property(
        why="has no default: None, on purpose, is the key of ECR",
        controls=("CKV_AWS_136", "FSBP ECR.5"),
        theme=Theme.ENCRYPTED,
    ),
    "untagged_days": Property(why="images without a tag are leftovers", controls=("FSBP ECR.3",)),
    "keep_images": Property(why="by their number images could go that still run"),
    "pull_accounts": Property(why="other accounts that run its images", theme=Theme.ACCESS),
}

ALWAYS: tuple[Always, ...] = ()
