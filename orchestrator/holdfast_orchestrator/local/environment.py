"""What a program needs in its environment to meet the local cloud and nothing else.

Two halves: what is set, and what is taken away. A profile, a session token or a certificate bundle
meant for AWS would either fail here ("unable to add custom RootCAs") or, worse, win over the local
endpoint and reach a real account.
"""

from collections.abc import Mapping

from holdfast_orchestrator.system.aws_variables import without_divided

ACCOUNT = "123456789012"
REGION = "eu-west-1"
STATE_BUCKET = "holdfast-state-local"

# The emulator reads the account from the key: one it does not know means ACCOUNT.
_ACCESS_KEY = "AKIAHOLDFASTLOCAL000"
_SECRET_KEY = "local"  # noqa: S105 - nothing checks it

REMOVED = (
    "AWS_CA_BUNDLE",
    "AWS_CONFIG_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_DEFAULT_PROFILE",
    "AWS_DEFAULT_REGION",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_SECURITY_TOKEN",
    "AWS_SESSION_TOKEN",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
)
_SERVICE_ENDPOINT = "AWS_ENDPOINT_URL_"


def local_environ(endpoint: str) -> dict[str, str]:
    """Return the variables to set for the local cloud at `endpoint` (a URL); no region is set."""
    return {
        "AWS_ACCESS_KEY_ID": _ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": _SECRET_KEY,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": endpoint,
        # A user's configuration file may name an endpoint, a role or a certificate bundle of its own.
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


def towards_local(environ: Mapping[str, str], endpoint: str) -> dict[str, str]:
    """Return `environ` turned towards the local cloud: REMOVED and per-service endpoints taken away."""
    kept = {
        name: value
        for name, value in without_divided(environ).items()
        if name not in REMOVED and not name.startswith(_SERVICE_ENDPOINT)
    }
    return kept | local_environ(endpoint)
