"""Terraform's own logs, where the caller has switched them on: never a file of ours.

At the levels TRACE and DEBUG they hold what is sent to providers and what those send on: passwords, secret
strings, whole configurations. Nothing of them can be redacted. Without TF_LOG_PATH they go to standard error,
which is captured in memory and shown only as far as it is an error.
"""

from collections.abc import Mapping
from pathlib import Path

_SWITCHES = ("TF_LOG", "TF_LOG_CORE", "TF_LOG_PROVIDER")
_PATH = "TF_LOG_PATH"
_MESSAGES = "TF_LOG_SDK_PROTO_DATA_DIR"


def log_warning(environ: Mapping[str, str]) -> str | None:
    """Return what to say of the logs that the caller asked for, None where there are none."""
    switches = [name for name in _SWITCHES if environ.get(name, "").upper() not in {"", "OFF"}]
    places = [name for name in (_PATH if switches else "", _MESSAGES) if environ.get(name)]
    if places:
        named = " and ".join(f"{name}={environ[name]}" for name in places)
        return (
            f"Terraform, and providers that it starts itself, write their logs where {named} says, "
            "with secrets in plain text: keep it private, and delete it when you have read it"
        )
    if switches:
        return f"{switches[0]} is set without TF_LOG_PATH: Terraform's log is kept nowhere"
    return None


def log_places(environ: Mapping[str, str], cwd: Path) -> dict[str, str]:
    """Return the variables that name a file or folder of logs, from where the caller is.

    Terraform works in a folder of ours, where a relative path would lead to a file of ours.
    """
    return {name: str(cwd / environ[name]) for name in (_PATH, _MESSAGES) if environ.get(name)}
