"""Apps whose synthesized files are written by the test: no program runs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ACCOUNT, REGION = "123456789012", "eu-west-1"


@dataclass
class WrittenApp:
    """What lies in the folder of an app once it was synthesized."""

    folder: Path
    bucket: str = "states"
    _stacks: dict[str, Any] = field(default_factory=dict)
    _shards: dict[str, Any] = field(default_factory=dict)

    @property
    def out(self) -> Path:
        return self.folder / "cdktf.out"

    def add(
        self,
        name: str,
        *,
        after: Sequence[str] = (),
        bucket: str | None = None,
        blocks: Mapping[str, Any] | None = None,
        **shard: Any,
    ) -> bytes:
        """Add the stack SERVICE-ENVIRONMENT; returns its configuration."""
        service, _, environment = name.partition("-")
        environment = environment.removesuffix(f"-{REGION}")
        state = {
            "bucket": bucket or self.bucket,
            "key": f"{service}/{ACCOUNT}/{REGION}/{environment}/terraform.tfstate",
            "region": REGION,
        }
        file = self.out / "stacks" / name / "cdk.tf.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"terraform": {"backend": {"s3": state}}, **(blocks or {})}))
        self._stacks[name] = {
            "name": name,
            "dependencies": list(after),
            "workingDirectory": f"stacks/{name}",
            "synthesizedStackPath": f"stacks/{name}/cdk.tf.json",
        }
        self._shards[name] = {
            "service": service,
            "environment": environment,
            "account": ACCOUNT,
            "region": REGION,
            "state": state,
            **shard,
        }
        manifest = {"version": "0.21.0", "stacks": self._stacks}
        described = {"schema": "holdfast/deployment-manifest/v1", "shards": self._shards}
        (self.out / "manifest.json").write_text(json.dumps(manifest))
        (self.out / "holdfast.json").write_text(json.dumps(described))
        return file.read_bytes()
