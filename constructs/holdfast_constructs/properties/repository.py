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
        satisfied=lambda value, _: value is not None,
    ),
    "untagged_days": Property(why="images without a tag are leftovers", controls=("FSBP ECR.3",)),
    "keep_images": Property(why="by their number images could go that still run"),
    "pull_accounts": Property(why="other accounts that run its images", theme=Theme.ACCESS),
}

ALWAYS = (
    Always(
        resource="aws_ecr_repository",
        argument="image_tag_mutability",
        value="IMMUTABLE",
        why="a tag means the same image for ever",
        controls=("CKV_AWS_51", "FSBP ECR.2"),
        theme=Theme.CHANGED_WITH_CARE,
    ),
    Always(
        resource="aws_ecr_repository",
        argument="image_scanning_configuration.scan_on_push",
        value=True,
        why="known weaknesses of an image are found when it is pushed",
        controls=("CKV_AWS_163", "FSBP ECR.1"),
        theme=Theme.PATCHED,
    ),
    Always(
        resource="aws_ecr_repository",
        argument="force_delete",
        value=False,
        follows="delete_protection of the target",
        why="a repository with images in it cannot be deleted",
        theme=Theme.RECOVERABLE,
    ),
)
