"""A pytest plugin: synthesizes stacks in the test's own process, and checks the result.

    def test_the_database_is_private(synthesize):
        orders = synthesize(lambda app: Orders(app, sample_target()))["orders"]

        orders.has_resource("aws_db_instance", publicly_accessible=False)

A synth takes milliseconds once the bindings are loaded, so each test makes its own. Nothing here is
imported from cdktf before a test asks for it.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from holdfast_constructs.app.target import StateBucket, Target

if TYPE_CHECKING:
    from holdfast_constructs.app.stack import HoldfastApp

Attributes = Mapping[str, Any]
Build = Callable[["HoldfastApp"], object]


class Template:
    """One synthesized stack: its cdk.tf.json as Terraform reads it, without cdktf's comments."""

    def __init__(self, configuration: Mapping[str, Any]) -> None:
        self.configuration: dict[str, Any] = _without_remarks(configuration)

    def resources(self, kind: str) -> dict[str, Attributes]:
        """Return every resource of a type such as `aws_subnet`, by address."""
        return self._blocks("resource", kind, kind)

    def data(self, kind: str) -> dict[str, Attributes]:
        """Return every data source of a type, by address."""
        return self._blocks("data", kind, f"data.{kind}")

    def addresses(self) -> tuple[str, ...]:
        """Return the address of every resource, sorted; they must not change by accident."""
        kinds = self.configuration.get("resource", {})
        return tuple(sorted(address for kind in kinds for address in self.resources(kind)))

    def resource(self, kind: str, **attributes: Any) -> Attributes:
        """Return the one resource of a type that has these attributes; fails when there are none or more."""
        matching = self._matching(kind, attributes)
        if len(matching) != 1:
            sentence = f"expected one {_wanted(kind, attributes)}, found {len(matching)}"
            raise AssertionError(self._told(sentence, kind, attributes))
        return next(iter(matching.values()))

    def has_resource(self, kind: str, **attributes: Any) -> None:
        """Fail unless a resource of this type has these attributes; blocks in it may have more."""
        if not self._matching(kind, attributes):
            raise AssertionError(self._told(f"no {_wanted(kind, attributes)}", kind, attributes))

    def has_no_resource(self, kind: str, **attributes: Any) -> None:
        """Fail when a resource of this type has these attributes."""
        matching = self._matching(kind, attributes)
        if matching:
            raise AssertionError(f"unwanted {_wanted(kind, attributes)}:\n" + _lines(matching))

    def readable(self) -> Any:
        """Return the configuration with the JSON inside of strings (policies, containers) unfolded.

        It is what to keep as a snapshot: a difference shows in one line of it.
        """
        return _unfolded(self.configuration)

    def _blocks(self, section: str, kind: str, prefix: str) -> dict[str, Attributes]:
        blocks = self.configuration.get(section, {}).get(kind, {})
        return {f"{prefix}.{name}": block for name, block in sorted(blocks.items())}

    def _matching(self, kind: str, attributes: Attributes) -> dict[str, Attributes]:
        return {
            address: block
            for address, block in self.resources(kind).items()
            if next(_differences(attributes, block), None) is None
        }

    def _told(self, sentence: str, kind: str, attributes: Attributes) -> str:
        blocks = self.resources(kind)
        if not blocks:
            there = ", ".join(sorted(self.configuration.get("resource", {}))) or "nothing"
            return f"{sentence}: the stack has no {kind} at all\n  there is: {there}"
        reasons = {
            address: "; ".join(_differences(attributes, block)) or "has them"
            for address, block in blocks.items()
        }
        return f"{sentence}\n" + _lines(reasons)


@dataclass(frozen=True, slots=True)
class Synthesis:
    """The output of one app: a Template for each stack, and holdfast.json."""

    outdir: Path
    manifest: dict[str, Any]
    templates: Mapping[str, Template]

    def __getitem__(self, name: str) -> Template:
        """Return a stack by its name, or by its service if only one stack has it."""
        shards = self.manifest["shards"]
        matching = [
            shard for shard in self.templates if name in (shard, shards.get(shard, {}).get("service"))
        ]
        if len(matching) != 1:
            raise KeyError(f"{name} is not one of {', '.join(sorted(self.templates))}")
        return self.templates[matching[0]]


def synthesize_into(outdir: Path, build: Build) -> Synthesis:
    """Run `build` on a new app, synthesize it into `outdir` and read back what was written."""
    from holdfast_constructs.app.stack import HoldfastApp  # noqa: PLC0415 - loads jsii, which most tests do without

    app = HoldfastApp(str(outdir))
    build(app)
    app.synth()
    files = sorted(outdir.glob("stacks/*/cdk.tf.json"))
    return Synthesis(
        outdir=outdir,
        manifest=json.loads((outdir / "holdfast.json").read_bytes()),
        templates={file.parent.name: Template(json.loads(file.read_bytes())) for file in files},
    )


def synthesize_project(
    outdir: Path, package: str, environments: Path, names: Sequence[str] = ()
) -> Synthesis:
    """Synthesize the registered stacks of `package` into `outdir`, with the settings in `environments`.

    `names` are environments; left out, all of them. Raises InvalidSettingsError for wrong settings and for
    a setting that no stack reads.
    """
    from holdfast_constructs.project.main import load_and_build  # noqa: PLC0415 - loads jsii
    from holdfast_constructs.project.registry import registrations  # noqa: PLC0415 - the same

    stacks = registrations(package)
    return synthesize_into(outdir, lambda app: load_and_build(app, stacks, environments, names))


def sample_target(**changes: Any) -> Target:
    """Return a target for tests: production in two zones of eu-west-1, with `changes` to its fields."""
    fields: dict[str, Any] = {
        "environment": "prod",
        "account": "210987654321",
        "region": "eu-west-1",
        "zones": ("eu-west-1a", "eu-west-1b"),
        "state": StateBucket(bucket="example-state", region="eu-west-1"),
        "production": True,
    }
    return Target(**(fields | changes))


@pytest.fixture
def synthesize(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Build], Synthesis]:
    """Return a function that calls its argument with an app, and synthesizes the app."""

    def run(build: Build) -> Synthesis:
        return synthesize_into(tmp_path_factory.mktemp("synth"), build)

    return run


def _without_remarks(value: Any) -> Any:
    match value:
        case Mapping():
            return {key: _without_remarks(each) for key, each in value.items() if key != "//"}
        case list():
            return [_without_remarks(each) for each in value]
        case _:
            return value


def _unfolded(value: Any) -> Any:
    match value:
        case Mapping():
            return {key: _unfolded(each) for key, each in value.items()}
        case list():
            return [_unfolded(each) for each in value]
        case str() if value.startswith(("{", "[")):
            try:
                return {"(JSON)": _unfolded(json.loads(value))}
            except json.JSONDecodeError:
                return value
        case _:
            return value


def _differences(wanted: Any, got: Any, at: str = "") -> Iterator[str]:
    match wanted, got:
        case Mapping(), Mapping():
            for key, each in wanted.items():
                yield from _differences(each, got.get(key), f"{at}.{key}" if at else key)
        case [*items], [*others] if len(items) == len(others):
            for index, (each, other) in enumerate(zip(items, others, strict=True)):
                yield from _differences(each, other, f"{at}[{index}]")
        case _:
            if type(wanted) is not type(got) or wanted != got:
                yield f"{at} is {got!r}"


def _wanted(kind: str, attributes: Attributes) -> str:
    conditions = ", ".join(f"{key}={value!r}" for key, value in attributes.items())
    return f"{kind} with {conditions}" if conditions else kind


def _lines(reasons: Mapping[str, object]) -> str:
    return "\n".join(f"  {address}: {reason}" for address, reason in reasons.items())
