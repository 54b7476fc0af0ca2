"""The app that every peer of `peers.py` deploys: shards of three quick resources, a state in S3 for each.

The first shard of every five is a base: the other four read its topic from its state, and it reads that of
the very first. How many there are, and which version of one of them, comes from cdktf.json's `context.peers`.
It has no line of Holdfast in it: it is an app as cdktf-cli's users have it.
"""

from typing import Any

from cdktf import App, S3Backend, TerraformStack
from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktf_cdktf_provider_aws.provider import AwsProvider
from cdktf_cdktf_provider_aws.sns_topic import SnsTopic
from cdktf_cdktf_provider_aws.ssm_parameter import SsmParameter

FAMILY = 5


class Shard(TerraformStack):
    """A topic, a log group and a parameter, which holds `version` and the topic of the shard it needs."""

    def __init__(self, app: App, name: str, *, version: int, needs: "Shard | None") -> None:
        super().__init__(app, name)
        settings = app.node.get_context("holdfast")
        AwsProvider(
            self,
            "aws",
            region=settings["region"],
            skip_credentials_validation=True,
            skip_metadata_api_check="true",
            skip_requesting_account_id=True,
            skip_region_validation=True,
            max_retries=5,
        )
        _keep_state(self, name, settings)
        self.topic = SnsTopic(self, "topic", name=name)
        CloudwatchLogGroup(self, "log", name=f"/peers/{name}")
        value = f"version {version}" if needs is None else f"version {version}, {needs.topic.arn}"
        SsmParameter(self, "parameter", name=f"/peers/{name}", type="String", value=value)


def _keep_state(stack: TerraformStack, name: str, settings: dict[str, Any]) -> None:
    """Where Holdfast would keep it, so that it takes the app as it is."""
    region = settings["region"]
    backend = S3Backend(
        stack,
        bucket=settings["state_bucket"],
        key=f"{name}/{settings['account']}/{region}/{settings['environment']}/terraform.tfstate",
        region=region,
        encrypt=True,
        use_path_style=True,
        skip_credentials_validation=True,
        skip_metadata_api_check=True,
        skip_region_validation=True,
        skip_requesting_account_id=True,
    )
    backend.add_override("use_lockfile", True)


def main() -> None:
    app = App()
    asked = app.node.get_context("peers")
    shards: list[Shard] = []
    for number in range(int(asked["shards"])):
        base = number - number % FAMILY
        needed = 0 if base == number else base
        needs = shards[needed] if number else None
        version = int(asked["version"]) if number == int(asked["changing"]) else 1
        shards.append(Shard(app, f"shard-{number:02}", version=version, needs=needs))
    app.synth()


if __name__ == "__main__":
    main()
