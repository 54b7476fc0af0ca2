"""The properties of `Secret`."""

from holdfast_constructs.properties import Always, Property, Theme

DIAGRAM = """
random value ── while Terraform applies, write-only ──▶ secret ◀── read ── service
"""

PROPERTIES = {
    "key": Property(
        why="who may read it needs the key too",
        controls=("CKV_AWS_149", "FSBP SecretsManager.4"),
        theme=Theme.ENCRYPTED,
    ),
    "description": Property(why="for people who look for it"),
    "generate": Property(
        why="AWS makes a random value, which is in no state and no file", theme=Theme.ACCESS
    ),
    "reference": Property(
        why="a value that is known only while Terraform applies; a text is refused", theme=Theme.ACCESS
    ),
    "reference_version": Property(why="a higher one writes the value again"),
    "recovery_days": Property(
        why="a deleted secret can be restored so long where data is kept", theme=Theme.RECOVERABLE
    ),
}

ALWAYS = (
    Always(
        resource="aws_secretsmanager_secret",
        argument="recovery_window_in_days",
        value=30,
        follows="recovery_days, and delete_protection of the target",
        why="a deleted secret can be restored for the longest time",
        theme=Theme.RECOVERABLE,
    ),
    Always(
        resource="aws_secretsmanager_secret_version",
        argument="secret_string",
        value=None,
        why="the value is written by an argument that no state and no plan keeps",
        theme=Theme.ACCESS,
    ),
)
