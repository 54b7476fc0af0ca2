"""A stack of a project, with the inputs that are found in its configuration."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from holdfast_orchestrator.app.manifest import Manifest, Shard, StateLocation
from holdfast_orchestrator.inputs.capture import capture
from holdfast_orchestrator.inputs.variables import Given


def captured(app: Path, document: Mapping[str, Any], given: Given | None = None) -> Shard:
    shard = Shard(
        name="shop",
        directory=app / "cdktf.out" / "stacks" / "shop",
        configuration=json.dumps(document, indent=2).encode(),
        service="shop",
        environment="dev",
        account="1",
        region="r",
        state=StateLocation(bucket="b", key="shop/1/r/dev/terraform.tfstate", region="r"),
    )
    return capture(Manifest((shard,)), app, given or Given()).shards[0]
