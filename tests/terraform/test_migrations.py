"""A task that has to end with 0 before the deploy goes on to the service, with real Terraform."""

import json
from typing import Any

import pytest
from tests.support.owned_objects import Cloud, parameter, stack
from tests.terraform.conftest import ACCOUNT, REGION, App, key

_PLACE = {"use_path_style": True, "skip_credentials_validation": True, "skip_metadata_api_check": True}


class Shop:
    """The migrations of a service, and the service that waits for them."""

    def __init__(self, app: App, cloud: Cloud) -> None:
        self.app, self.cloud = app, cloud
        cloud("ecs").create_cluster(clusterName="migrated")
        vpc = cloud("ec2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        subnet = cloud("ec2").create_subnet(VpcId=vpc, CidrBlock="10.9.0.0/24")["Subnet"]["SubnetId"]
        group = cloud("ec2").create_security_group(GroupName="m", Description="m", VpcId=vpc)["GroupId"]
        check = {
            "kind": "ecs_task_succeeds",
            "name": "migrate-run",
            "cluster": "migrated",
            "task_definition": {"output": "definition"},
            "container": "migrate",
            "subnets": [subnet],
            "security_groups": [group],
            "interval": 1,
        }
        shards = {
            name: {
                "service": name,
                "account": ACCOUNT,
                "region": REGION,
                "environment": "dev",
                "state": self._state(name),
                "health_checks": checks,
            }
            for name, checks in (("migrations", [check]), ("orders", []))
        }
        manifest = {"schema": "holdfast/deployment-manifest/v1", "shards": shards}
        (app.folder / "holdfast.json").write_text(json.dumps(manifest))

    def deploy(self, version: str, *, fails: bool = False) -> dict[str, str]:
        container = {
            "name": "migrate",
            "image": f"orders:{version}",
            "environment": [{"name": "HOLDFAST_LOCAL_TASKS_FAIL", "value": str(fails).lower()}],
        }
        definition = {
            "family": "orders-migrations",
            "cpu": "256",
            "memory": "512",
            "network_mode": "awsvpc",
            "requires_compatibilities": ["FARGATE"],
            "container_definitions": json.dumps([container]),
        }
        migrations = self._stack("migrations", aws_ecs_task_definition={"t": definition})
        migrations["output"] = {"definition": {"value": "${aws_ecs_task_definition.t.arn}"}}
        orders = self._stack("orders", aws_ssm_parameter={"p": parameter("/orders/version", version)})
        upstream = {"backend": "s3", "config": {**self._state("migrations"), **_PLACE}}
        orders["data"] = {"terraform_remote_state": {"cross-stack-reference-input-migrations": upstream}}
        orders["dependencies"] = ["migrations"]
        self.app.write({"migrations": migrations, "orders": orders})
        return self.app.outcomes("deploy", "--yes")

    def tasks(self) -> list[str]:
        listed = self.cloud("ecs").list_tasks(cluster="migrated", desiredStatus="STOPPED")
        return [str(arn) for arn in listed["taskArns"]]

    def version(self) -> str:
        return str(self.cloud("ssm").get_parameter(Name="/orders/version")["Parameter"]["Value"])

    def _state(self, name: str) -> dict[str, Any]:
        return {"bucket": self.app.bucket, "key": key(name), "region": REGION}

    def _stack(self, name: str, **resources: Any) -> dict[str, Any]:
        template = stack(**resources)
        template["terraform"]["backend"] = {"s3": {**self._state(name), **_PLACE, "use_lockfile": True}}
        return template


@pytest.mark.long
def test_a_migration_that_fails_leaves_the_service_as_it_was(aws_app: App, cloud: Cloud) -> None:
    shop = Shop(aws_app, cloud)

    assert shop.deploy("one") == {"migrations": "committed", "orders": "committed"}
    assert (len(shop.tasks()), shop.version()) == (1, "one")

    assert shop.deploy("one") == {"migrations": "unchanged", "orders": "unchanged"}
    assert len(shop.tasks()) == 1

    assert shop.deploy("two", fails=True) == {"migrations": "rolled_back", "orders": "skipped"}
    assert (len(shop.tasks()), shop.version()) == (2, "one")

    assert shop.deploy("three") == {"migrations": "committed", "orders": "committed"}
    assert shop.version() == "three"
