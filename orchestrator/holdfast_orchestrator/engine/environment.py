"""What of the caller's environment an engine may see.

`TF_VAR_*`, `TF_LOG*`, `TF_TOKEN_*` and everything that is not Terraform's own is passed on. What
would change the meaning of our commands is not: extra arguments, another data folder or workspace,
providers attached from outside, a rarer saving of state.
"""

from collections.abc import Mapping

from holdfast_orchestrator.system.socket_places import socket_variables

FORCED = {
    "TF_IN_AUTOMATION": "1",
    "TF_INPUT": "0",
    "CHECKPOINT_DISABLE": "1",
    # Wrapped and localised texts would be neither matched nor comparable.
    "LC_ALL": "C.UTF-8",
}
DROPPED = frozenset({
    "TF_DATA_DIR",
    "TF_WORKSPACE",
    "TF_REATTACH_PROVIDERS",
    "TF_STATE_PERSIST_INTERVAL",
    "TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE",
    "TERRAFORM_CONFIG",
})  # fmt: skip
_DROPPED_PREFIX = "TF_CLI_ARGS"


def version_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for `version`, which needs nothing that is Terraform's own.

    A damaged or missing CLI configuration, plugin cache or log is no reason not to say which version it is.
    """
    kept = {name: value for name, value in environ.items() if not name.startswith("TF_")}
    return {**kept, **FORCED, "TF_CLI_CONFIG_FILE": "/dev/null"}


def engine_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for an engine made from the caller's.

    Raises MachineError where its providers could make no sockets.
    """
    kept = {
        name: value
        for name, value in environ.items()
        if name not in DROPPED and not name.startswith(_DROPPED_PREFIX)
    }
    return {**kept, **FORCED, **socket_variables(environ)}
