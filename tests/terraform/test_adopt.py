"""An app that another tool deployed: its states are seen, taken over, and go on as Holdfast's own."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

if TYPE_CHECKING:
    from tests.terraform.conftest import App, World

STACKS = ("topics", "settings", "web")


LATE_FAILURE = """
late = SnsTopic(web, "late", name="foreign-late")
late.add_override("provisioner", [{"local-exec": {"command": "exit 1"}}])
app.synth()
"""


def key(stack: str) -> str:
    return f"shop-{stack}/123456789012/eu-west-1/dev/terraform.tfstate"


def deployed_by_cdktf(app: "App", world: "World") -> dict[str, Path]:
    """Apply each stack as cdktf-cli does, with its own local state beside cdktf.json; return those files."""
    main = app.folder / "main.py"
    main.write_text(f"import holdfast_constructs.fast_bindings\n{main.read_text()}")
    assert app.run("synth").returncode == 0
    files = {}
    for stack in STACKS:
        document = json.loads((app.folder / "cdktf.out" / "stacks" / stack / "cdk.tf.json").read_bytes())
        file = Path(document["terraform"]["backend"]["local"]["path"])
        assert file == app.folder / f"terraform.{stack}.tfstate"
        state = str(file.relative_to(world.folder)).removesuffix(".tfstate")
        terraform = world.terraform(f"cli-{stack}", document, environ=app.environ, state=state)
        terraform.init()
        assert terraform.apply(terraform.plan().plan)
        files[stack] = file
    return files


def keep_versions(app: "App") -> None:
    app.s3.put_bucket_versioning(Bucket=app.bucket, VersioningConfiguration={"Status": "Enabled"})


def values(app: "App") -> dict[str, str]:
    session = boto3.Session("testing", "testing", region_name="eu-west-1")
    ssm: Any = session.client("ssm", endpoint_url=app.environ["AWS_ENDPOINT_URL"])
    found = ssm.get_parameters_by_path(Path="/foreign", Recursive=True)["Parameters"]
    return {parameter["Name"]: parameter["Value"] for parameter in found}


@pytest.mark.long
def test_an_app_that_cdktf_cli_deployed_is_adopted_planned_deployed_undone_and_taken_down(
    foreign_app: "App", world: "World"
) -> None:
    keep_versions(foreign_app)
    files = deployed_by_cdktf(foreign_app, world)
    before = {stack: file.read_bytes() for stack, file in files.items()}
    made = values(foreign_app)

    refused = foreign_app.run("deploy", "--yes")
    assert refused.returncode == 64
    assert f"the state of stack 'topics' is in the local file {files['topics']} (1 object)" in refused.stderr
    assert f"next: holdfast adopt topics --env dev --from {files['topics']}" in refused.stderr
    assert foreign_app.state_keys() == []
    assert foreign_app.run("plan").returncode == foreign_app.run("destroy", "--yes").returncode == 64
    assert foreign_app.run("list").returncode == 0

    look = json.loads(foreign_app.run("adopt", "topics", "--from", str(files["topics"]), "--json").stdout)
    assert (look["adopted"], look["objects"], look["plan"]["outcome"]) == (False, 1, "unchanged")
    waiting = foreign_app.run("adopt", "web", "--from", str(files["web"]))
    assert "plan   waits for settings, topics, to be adopted or deployed first" in waiting.stdout
    assert {file.read_bytes() for file in files.values()} == set(before.values())
    assert foreign_app.state_keys() == []

    for stack, file in files.items():
        done = foreign_app.run("adopt", stack, "--from", str(file), "--yes")
        assert done.returncode == 0, done.stderr
        assert f"{file}.adopted-by-holdfast" in done.stdout
        assert not file.exists()
    assert foreign_app.state_keys() == sorted(map(key, STACKS))

    planned = json.loads(foreign_app.run("plan", "--json").stdout)
    assert {shard["name"]: shard["outcome"] for shard in planned["shards"]} == dict.fromkeys(
        STACKS, "unchanged"
    )
    assert foreign_app.outcomes("deploy", "--yes") == dict.fromkeys(STACKS, "unchanged")
    for stack in STACKS:
        stored = foreign_app.s3.get_object(Bucket=foreign_app.bucket, Key=key(stack))["Body"].read()
        assert json.loads(stored)["lineage"] == json.loads(before[stack])["lineage"]

    main = foreign_app.folder / "main.py"
    good = main.read_text()
    main.write_text(
        good.replace("Web(app", "web = Web(app")
        .replace('name="/foreign/topic"', 'name="/foreign/topic", description="new"')
        .replace("app.synth()", LATE_FAILURE)
    )
    failed = foreign_app.outcomes("deploy", "--yes", "--atomic")
    assert failed == {"topics": "unchanged", "settings": "rolled_back", "web": "rolled_back"}
    assert values(foreign_app) == made

    main.write_text(good)
    assert set(foreign_app.outcomes("deploy", "--yes").values()) == {"unchanged"}
    assert foreign_app.outcomes("destroy", "--yes") == dict.fromkeys(STACKS, "committed")
    assert values(foreign_app) == {}


def stack(value: str, *, backend: dict[str, Any] | None = None) -> dict[str, Any]:
    made: dict[str, Any] = {"resource": {"terraform_data": {"x": {"input": value}}}}
    if backend is not None:
        made["terraform"] = backend
    return made


def earlier_state(folder: Path, world: "World", name: str = "earlier") -> bytes:
    """A state that Terraform wrote for `stack("v1")`."""
    terraform = world.terraform(name, stack("v1"), warm=False)
    terraform.init()
    terraform.apply(terraform.plan().plan)
    return (folder / f"{name}.tfstate").read_bytes()


@pytest.mark.long
def test_a_state_at_another_s3_key_is_adopted_and_the_app_may_go_on_declaring_it(
    plain_app: "App", world: "World"
) -> None:
    state = earlier_state(world.folder, world)
    plain_app.s3.put_object(Bucket=plain_app.bucket, Key="old/web.tfstate", Body=state)
    own = {"backend": {"s3": {"bucket": plain_app.bucket, "key": "old/web.tfstate", "region": "eu-west-1"}}}
    plain_app.write({"web": stack("v2", backend=own)})
    place = f"s3://{plain_app.bucket}/old/web.tfstate"

    refused = plain_app.run("deploy", "--yes")
    look = plain_app.run("adopt", "web", "--from", place)
    done = plain_app.run("adopt", "web", "--from", place, "--yes", "--json")
    again = plain_app.run("adopt", "web", "--from", place, "--yes")

    assert refused.returncode == 64
    assert f"next: holdfast adopt web --env dev --from {place}" in refused.stderr
    assert "plan   then 1 to change" in look.stdout
    assert f"holdfast adopt web --env dev --from {place} --yes" in look.stdout
    assert (done.returncode, json.loads(done.stdout)["adopted"]) == (0, True)
    assert "was adopted before: web is at serial" in again.stdout
    assert f"{'old/web.tfstate'}.adopted-by-holdfast" in plain_app.object_keys()
    assert plain_app.s3.get_object(Bucket=plain_app.bucket, Key="old/web.tfstate")["Body"].read() == state

    deployed = plain_app.run("deploy", "--yes")
    assert deployed.returncode == 0, deployed.stderr
    assert "remove that backend from the app" in deployed.stdout + deployed.stderr
    assert plain_app.state("web")["resources"][0]["instances"][0]["attributes"]["input"]["value"] == "v2"
    audit = plain_app.run("audit", "--json").stdout
    assert [one["action"] for one in json.loads(audit)["records"]].count("adopt") == 2


def test_a_pulled_state_of_hcp_terraform_is_adopted_and_other_inputs_are_named_for_what_they_are(
    plain_app: "App", world: "World"
) -> None:
    cloud = {"cloud": {"organization": "acme", "workspaces": {"name": "web"}}}
    plain_app.write({"web": stack("v1", backend=cloud)})
    pulled = plain_app.folder / "pulled.tfstate"

    refused = plain_app.run("plan")
    assert refused.returncode == 64
    assert "its state is at cloud (app.terraform.io/acme/web)" in refused.stderr
    assert "state pull > web-123456789012-eu-west-1-dev.tfstate" in refused.stderr

    state = earlier_state(world.folder, world)
    for content, what in ((b"", "it is empty"), (state[:-30], "it is cut off or damaged")):
        pulled.write_bytes(content)
        wrong = plain_app.run("adopt", "web", "--from", str(pulled), "--yes")
        assert (wrong.returncode, what in wrong.stderr) == (64, True), wrong.stderr
    for place in (
        "gs://bucket/state",
        "nowhere.tfstate",
        f"s3://{plain_app.bucket}/nothing",
        "s3://no-such/x",
    ):
        wrong = plain_app.run("adopt", "web", "--from", place, "--yes", "--json")
        assert (wrong.returncode, "Traceback" in wrong.stderr) == (64, False), wrong.stderr
        assert json.loads(wrong.stdout)["next_step"]
    assert plain_app.state_keys() == []

    pulled.write_bytes(state)
    assert plain_app.run("adopt", "web", "--from", "pulled.tfstate", "--yes").returncode == 0
    assert plain_app.outcomes("deploy", "--yes") == {"web": "unchanged"}
    assert plain_app.outcomes("destroy", "--yes") == {"web": "committed"}
