"""An output and what reads it removed in one commit: the reader can be taken back, and the rest goes on."""

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.terraform.conftest import App

FAILS = {"provisioner": [{"local-exec": {"command": "exit 3"}}]}


def output(stack: str, name: str) -> str:
    return f"${{data.terraform_remote_state.cross-stack-reference-input-{stack}.outputs.{name}}}"


def datum(value: Any, **more: Any) -> dict[str, Any]:
    return {"input": value, **more}


def stack(
    resources: dict[str, Any], *, outputs: dict[str, str] | None = None, after: tuple[str, ...] = ()
) -> dict[str, Any]:
    found: dict[str, Any] = {"resource": {"terraform_data": resources}}
    if outputs:
        found["output"] = {name: {"value": value} for name, value in outputs.items()}
    return {**found, "dependencies": list(after)} if after else found


def before() -> dict[str, Any]:
    """`consumer` reads two outputs of `producer`."""
    outputs = {"one": "${terraform_data.t1.output}", "two": "${terraform_data.t2.output}"}
    reads = f"{output('producer', 'one')}|{output('producer', 'two')}"
    return {
        "producer": stack({"t1": datum("one"), "t2": datum("two")}, outputs=outputs),
        "consumer": stack({"p": datum(reads)}, after=("producer",)),
    }


def after(*, fails: bool = False) -> dict[str, Any]:
    """The second output is gone, with the object behind it, and nobody reads it any more."""
    reads = datum(f"{output('producer', 'one')}|none", **(FAILS if fails else {}))
    resources = {"p": reads} if not fails else {"p": datum(reads["input"]), "bad": datum("x", **FAILS)}
    return {
        "producer": stack({"t1": datum("one")}, outputs={"one": "${terraform_data.t1.output}"}),
        "consumer": stack(resources, after=("producer",)),
    }


def deploy(app: "App", *options: str) -> tuple[int, dict[str, dict[str, Any]]]:
    ran = app.run("deploy", "--yes", *options, "--json")
    assert ran.stdout, ran.stderr
    return ran.returncode, {shard["name"]: shard for shard in json.loads(ran.stdout)["shards"]}


def names(app: "App", service: str) -> tuple[list[str], list[str]]:
    """The objects and outputs of a state."""
    state = app.state(service)
    return sorted(one["name"] for one in state["resources"] if one["mode"] == "managed"), sorted(
        state["outputs"]
    )


def value(app: "App", service: str) -> Any:
    (one,) = [one for one in app.state(service)["resources"] if one["name"] == "p"]
    return one["instances"][0]["attributes"]["output"]["value"]


@pytest.mark.parametrize("options", [(), pytest.param(("--atomic",), marks=pytest.mark.long)])
def test_the_reader_fails_and_is_taken_back(plain_app: "App", options: tuple[str, ...]) -> None:
    plain_app.write(before())
    assert deploy(plain_app)[0] == 0
    plain_app.write(after(fails=True))

    code, shards = deploy(plain_app, *options)

    assert (code, shards["consumer"]["outcome"]) == (5, "rolled_back"), shards
    assert value(plain_app, "consumer") == "one|two"
    assert names(plain_app, "producer") == (["t1", "t2"], ["one", "two"])
    assert shards["producer"]["outcome"] == "unchanged"
    assert shards["producer"]["put_off"] == ["terraform_data.t2", "output two"]

    # The fix forward goes through, and takes away what had to stay.
    plain_app.write(after())
    code, shards = deploy(plain_app)

    assert (code, shards["consumer"]["outcome"], shards["producer"]["outcome"]) == (
        0,
        "committed",
        "committed",
    )
    assert value(plain_app, "consumer") == "one|none"
    assert names(plain_app, "producer") == (["t1"], ["one"])
    assert deploy(plain_app)[1]["producer"]["outcome"] == "unchanged"


def chain(version: int, *, fails: bool = False) -> dict[str, Any]:
    """a -> b -> c, each handing a value on; in version 2 nobody does any more."""
    if version == 1:
        return {
            "a": stack({"x": datum("a")}, outputs={"a1": "${terraform_data.x.output}"}),
            "b": stack(
                {"y": datum(output("a", "a1"))}, outputs={"b1": "${terraform_data.y.output}"}, after=("a",)
            ),
            "c": stack({"p": datum(output("b", "b1"))}, after=("b",)),
        }
    resources = {"p": datum("alone"), **({"bad": datum("x", **FAILS)} if fails else {})}
    return {"a": stack({"z": datum("a")}), "b": stack({"w": datum("b")}), "c": stack(resources)}


@pytest.mark.long
def test_a_chain_without_its_values_and_the_end_of_it_fails(plain_app: "App") -> None:
    plain_app.write(chain(1))
    assert deploy(plain_app)[0] == 0
    plain_app.write(chain(2, fails=True))

    code, shards = deploy(plain_app)

    assert (code, shards["c"]["outcome"]) == (5, "rolled_back"), shards
    assert value(plain_app, "c") == "a"
    assert names(plain_app, "a") == (["x", "z"], ["a1"])
    assert names(plain_app, "b") == (["w", "y"], ["b1"])
    assert shards["a"]["evidence"]

    plain_app.write(chain(2))
    assert deploy(plain_app)[0] == 0
    assert names(plain_app, "a") == (["z"], [])
    assert names(plain_app, "b") == (["w"], [])


@pytest.mark.long
def test_deletes_wait_for_a_shard_that_looks_things_up(plain_app: "App") -> None:
    """Nothing is handed on: `second` comes after `first` and finds its parameter with a data source."""
    settings = {
        "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws", "version": "5.100.0"}}},
        "provider": {"aws": {"region": "eu-west-1", "max_retries": 2}},
    }
    two = {name: {"name": f"/waits/{name}", "type": "String", "value": name} for name in ("one", "two")}

    def app(looks_for: str, made: dict[str, Any], *, fails: bool = False) -> dict[str, Any]:
        second = stack(
            {
                "p": datum("${data.aws_ssm_parameter.found.insecure_value}"),
                **({"bad": datum("x", **FAILS)} if fails else {}),
            },
            after=("first",),
        )
        second["data"] = {"aws_ssm_parameter": {"found": {"name": f"/waits/{looks_for}"}}}
        return {
            "first": {**settings, "resource": {"aws_ssm_parameter": made}},
            "second": {**settings, **second},
        }

    plain_app.write(app("two", two))
    # The first plan of all waits, like one that reads outputs.
    planned = json.loads(plain_app.run("plan", "--json").stdout)["shards"]
    assert {one["name"]: one["outcome"] for one in planned} == {"first": "changes", "second": "deferred"}
    assert deploy(plain_app)[0] == 0
    plain_app.write(app("one", {"one": two["one"]}, fails=True))

    code, shards = deploy(plain_app)

    assert (code, shards["second"]["outcome"]) == (5, "rolled_back"), shards
    assert shards["first"]["put_off"] == ["aws_ssm_parameter.two"]
    assert value(plain_app, "second") == "two"
    plain_app.write(app("one", {"one": two["one"]}))
    code, shards = deploy(plain_app)
    assert (code, shards["first"]["outcome"], shards["first"]["destroyed"]) == (0, "committed", 1)
    assert names(plain_app, "first") == (["one"], [])
    assert value(plain_app, "second") == "one"


@pytest.mark.long
def test_an_output_that_is_renamed_keeps_its_old_name_until_its_reader_has_moved_on(plain_app: "App") -> None:
    def app(name: str, *, fails: bool = False) -> dict[str, Any]:
        resources = {"p": datum(output("producer", name)), **({"bad": datum("x", **FAILS)} if fails else {})}
        return {
            "producer": stack({"t": datum("one")}, outputs={name: "${terraform_data.t.output}"}),
            "consumer": stack(resources, after=("producer",)),
        }

    plain_app.write(app("old"))
    assert deploy(plain_app)[0] == 0
    plain_app.write(app("new", fails=True))
    assert deploy(plain_app)[0] == 5
    assert names(plain_app, "producer")[1] == ["new", "old"]
    plain_app.write(app("new"))
    assert deploy(plain_app)[0] == 0
    assert names(plain_app, "producer")[1] == ["new"]


@pytest.mark.long
def test_a_reader_that_is_not_part_of_the_run_keeps_what_it_reads(plain_app: "App") -> None:
    plain_app.write(before())
    assert deploy(plain_app)[0] == 0
    plain_app.write(after())

    code, shards = deploy(plain_app, "--stack", "producer")

    assert code == 0
    assert shards["producer"]["put_off"] == ["terraform_data.t2", "output two"]
    assert "consumer" in " ".join(shards["producer"]["evidence"])
    assert names(plain_app, "producer") == (["t1", "t2"], ["one", "two"])
    assert deploy(plain_app)[0] == 0
    assert names(plain_app, "producer") == (["t1"], ["one"])


@pytest.mark.long
def test_a_reader_that_was_removed_from_the_app_is_taken_down_first(plain_app: "App") -> None:
    plain_app.write(before())
    assert deploy(plain_app)[0] == 0
    plain_app.write({"producer": after()["producer"]})

    code, shards = deploy(plain_app)

    assert (code, shards["producer"]["put_off"]) == (0, ["terraform_data.t2", "output two"])
    assert plain_app.run("destroy", "--yes", "--retired", "consumer").returncode == 0
    code, shards = deploy(plain_app)
    assert (code, shards["producer"]["destroyed"], shards["producer"]["put_off"]) == (0, 1, [])


@pytest.mark.long
def test_a_producer_that_was_removed_from_the_app_stands_until_nobody_reads_it(plain_app: "App") -> None:
    plain_app.write(before())
    assert deploy(plain_app)[0] == 0
    failing = {"consumer": stack({"p": datum("none"), "bad": datum("x", **FAILS)})}
    plain_app.write(failing)

    code, shards = deploy(plain_app)

    assert (code, shards["consumer"]["outcome"]) == (5, "rolled_back"), shards
    assert value(plain_app, "consumer") == "one|two"
    refused = plain_app.run("destroy", "--yes", "--retired", "producer")
    assert refused.returncode == 64, refused.stdout
    assert "consumer" in refused.stderr
    plain_app.write({"consumer": stack({"p": datum("none")})})
    assert deploy(plain_app)[0] == 0
    assert plain_app.run("destroy", "--yes", "--retired", "producer").returncode == 0


def typed(version: int, *, fails: bool = False) -> dict[str, Any]:
    """The value of the output becomes an object; both forms cannot be read by one reader."""
    kept = "${terraform_data.t.output}" if version == 1 else "${{name = terraform_data.t.output}}"
    reads = output("producer", "one") if version == 1 else output("producer", "one")[:-1] + ".name}"
    text = f"${{upper({reads[2:-1]})}}"
    resources = {"p": datum(text), **({"bad": datum("x", **FAILS)} if fails else {})}
    return {
        "producer": stack({"t": datum("one")}, outputs={"one": kept}),
        "consumer": stack(resources, after=("producer",)),
    }


@pytest.mark.long
def test_an_output_of_another_type_goes_back_before_its_reader_with_atomic(plain_app: "App") -> None:
    plain_app.s3.put_bucket_versioning(Bucket=plain_app.bucket, VersioningConfiguration={"Status": "Enabled"})
    plain_app.write(typed(1))
    assert deploy(plain_app)[0] == 0
    plain_app.write(typed(2, fails=True))

    code, shards = deploy(plain_app, "--atomic")

    assert code == 5, shards
    assert {name: shard["outcome"] for name, shard in shards.items()} == {
        "producer": "rolled_back",
        "consumer": "rolled_back",
    }
    assert value(plain_app, "consumer") == "ONE"
    assert plain_app.state("producer")["outputs"]["one"]["value"] == "one"
    plain_app.write(typed(2))
    assert deploy(plain_app)[0] == 0
    assert value(plain_app, "consumer") == "ONE"
