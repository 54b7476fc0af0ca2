"""No version is deployed again that somebody has rolled back from by hand, unless they name its run."""

import json
import shlex
from collections.abc import Collection

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.gate.base import Finding
from holdfast_orchestrator.record.last_good import LastGood
from holdfast_orchestrator.terraform.json_values import digest


def rejected_version(good: LastGood | None, shard: Shard, redeploy: Collection[str]) -> Finding | None:
    """Return why this configuration must not be deployed, None where it may be.

    `redeploy` are runs whose version may be deployed again.
    """
    rejected = () if good is None else good.rejected
    version = digest(json.loads(shard.configuration)) if rejected else ""
    rejection = next((each for each in rejected if each.configuration == version), None)
    if rejection is None or rejection.run in redeploy:
        return None
    words = (
        "holdfast",
        "deploy",
        "--env",
        shard.environment,
        "--stack",
        shard.name,
        "--redeploy",
        rejection.run,
    )
    return Finding(
        gate="rejected",
        what=f"this is exactly the version of run {rejection.run}, which was rolled back from by hand",
        next_step=f"correct it in the app; or, to deploy it all the same: {shlex.join(words)}",
    )
