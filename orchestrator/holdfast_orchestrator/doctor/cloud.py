"""Checks of the clouds: the local cloud runs, credentials work, state buckets keep versions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast_orchestrator.app.manifest import StateLocation
from holdfast_orchestrator.doctor.check import Check, missing, ok, skipped
from holdfast_orchestrator.doctor.places import Environment, environments
from holdfast_orchestrator.engine.diagnostics import advice_for
from holdfast_orchestrator.errors import HoldfastError, SettingsError, StateBucketError
from holdfast_orchestrator.local.cloud import LocalCloud, LocalStatus
from holdfast_orchestrator.local.environment import STATE_BUCKET, towards_local
from holdfast_orchestrator.state.s3 import S3Store
from holdfast_orchestrator.system.runtime import Runtime

_UP = "holdfast local up"
_CLOSED = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
_LOG_IN = "set AWS_PROFILE, or log in (aws sso login)"


@dataclass(frozen=True, slots=True)
class _Caller:
    """The account of the caller; None if it could not be found out, for `reason`."""

    account: str | None
    reason: str = ""


def checks(runtime: Runtime, project: Path, names: Sequence[str]) -> Iterator[Check]:
    """Yield the local cloud, the credentials, and each environment's bucket."""
    try:
        places = environments(project, names)
    except SettingsError as error:
        yield missing("environments", error)
        return
    status = LocalCloud(project, runtime).status()
    yield _local(status, wanted=bool(names) and any(place.local for place in places))
    remote = [place for place in places if not place.local]
    caller = _Caller(None)
    if remote:
        check, caller = _credentials(runtime, remote[0].region, wanted=bool(names))
        yield check
    for place in places:
        yield _bucket(runtime, place, status, caller)


def _local(status: LocalStatus, *, wanted: bool) -> Check:
    if status.running:
        return ok("local cloud", f"{status.endpoint}, since {status.since}")
    if wanted:
        return missing("local cloud", HoldfastError("it does not run", next_step=_UP))
    return skipped("local cloud", "it does not run; only environment local needs it", _UP)


def _credentials(runtime: Runtime, region: str, *, wanted: bool) -> tuple[Check, _Caller]:
    import botocore.exceptions as errors  # noqa: PLC0415 - boto3 is slow to load

    offline = (errors.EndpointConnectionError, errors.ConnectTimeoutError, errors.ProxyConnectionError)
    try:
        sts = runtime.aws.client("sts", region=region, environ=runtime.environ)
        identity = sts.get_caller_identity()
    except offline as error:
        return skipped("credentials", f"AWS cannot be reached from here: {error}"), _Caller(None, "offline")
    except errors.NoCredentialsError:
        none = HoldfastError("no AWS credentials in the environment", next_step=_LOG_IN)
        check = missing("credentials", none) if wanted else skipped("credentials", none.what, _LOG_IN)
        return check, _Caller(None, "no credentials")
    except (errors.ClientError, errors.BotoCoreError) as error:
        text = str(error)
        refused = HoldfastError(text, next_step=advice_for(text) or _LOG_IN)
        return missing("credentials", refused), _Caller(None, "the credentials do not work")
    account = str(identity["Account"])
    return ok("credentials", f"account {account}, {identity['Arn']}"), _Caller(account)


def _bucket(runtime: Runtime, place: Environment, status: LocalStatus, caller: _Caller) -> Check:
    name = f"state bucket ({place.name})"
    if place.local:
        if status.endpoint is None:
            return skipped(name, "the local cloud does not run", _UP)
        return _look(runtime, place, name, towards_local(runtime.environ, status.endpoint))
    if caller.account is None:
        return skipped(name, caller.reason)
    if place.account not in (None, caller.account):
        return skipped(
            name, f"the credentials are for account {caller.account}, not {place.account}", _LOG_IN
        )
    return _look(runtime, place, name, runtime.environ)


def _look(runtime: Runtime, place: Environment, name: str, environ: Mapping[str, str]) -> Check:
    bucket = place.bucket or (STATE_BUCKET if place.local else None)
    if bucket is None:
        error = SettingsError("it has no state bucket", next_step=f"set [state] bucket of {place.name}")
        return missing(name, error)
    s3 = runtime.aws.client("s3", region=place.region, environ=environ)
    location = StateLocation(bucket=bucket, key="", region=place.region)
    try:
        S3Store(s3, location, cloud="local" if place.local else "aws").check()
        _require_versions(s3, bucket)
        if not place.local:
            _require_closed(s3, bucket)
    except HoldfastError as error:
        if place.has_foundation and isinstance(error, StateBucketError) and not place.local:
            error.next_step = f"holdfast bootstrap --env {place.name}"
        return missing(name, error)
    return ok(name, f"{bucket} in {place.region}, versioned")


def _require_versions(s3: Any, bucket: str) -> None:
    if s3.get_bucket_versioning(Bucket=bucket).get("Status") != "Enabled":
        command = f"aws s3api put-bucket-versioning --bucket {bucket}"
        raise StateBucketError(
            f"the state bucket {bucket!r} keeps no versions, so a damaged state could not be restored",
            next_step=f"{command} --versioning-configuration Status=Enabled",
        )


def _require_closed(s3: Any, bucket: str) -> None:
    """Raise StateBucketError where a policy could make the states public; not where S3 does not say."""
    import botocore.exceptions  # noqa: PLC0415 - boto3 is slow to load

    try:
        blocked = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    except botocore.exceptions.ClientError as error:
        if error.response.get("Error", {}).get("Code") != "NoSuchPublicAccessBlockConfiguration":
            return
        blocked = {}
    if len(blocked) != len(_CLOSED) or not all(blocked.values()):
        settings = ",".join(f"{name}=true" for name in _CLOSED)
        raise StateBucketError(
            f"the state bucket {bucket!r} does not block public access, and states hold secrets",
            next_step=f"aws s3api put-public-access-block --bucket {bucket} "
            f"--public-access-block-configuration {settings}",
        )
