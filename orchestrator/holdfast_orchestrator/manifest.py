"""What is to be deployed: the shards of a synthesized app, each with all that is known of it.

cdktf writes `manifest.json` (stacks and what they depend on); an app built on Holdfast's constructs
also writes `holdfast.json` beside it (where each state lies, account, region, protected resources,
and so on). Both formats are versioned and checked here, once; each shard's Terraform configuration is
read once too, so that what is planned, gated and applied is the same bytes. An app without
`holdfast.json` is foreign: `foreign.py` derives what is missing from settings.
"""

import json
import os
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from holdfast_orchestrator.errors import SettingsError
from holdfast_orchestrator.graph import Graph
from holdfast_orchestrator.inputs.value import UNKNOWN, Inputs
from holdfast_orchestrator.private_files import UnsafePlaceError, refuse_link
from holdfast_orchestrator.state_key import InvalidStateKeyError, state_key
from holdfast_orchestrator.system.json_input import parse_json, read_settings
from holdfast_orchestrator.terraform.accepted import AcceptedDifference

if TYPE_CHECKING:
    from pydantic import BaseModel

    from holdfast_orchestrator.foreign import ForeignDefaults

CDKTF_MANIFEST = "manifest.json"
HOLDFAST_MANIFEST = "holdfast.json"
LOCAL = "local"

# A folder of cdktf's is called like its stack, and file systems end names at 255 bytes.
_LONGEST_NAME = 255
# What leads out of a folder, and what a shell or an option parser would take for something else.
_HOSTILE = re.compile(r"/|\.\.|[$`]|^[-~]")
# Control characters, marks that turn the direction of text, halves of characters, ends of lines.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"})

_REGION = re.compile(r"[a-z]{2,}(?:-[a-z]+)+-\d{1,2}")

M = TypeVar("M", bound="BaseModel")


@dataclass(frozen=True, slots=True, kw_only=True)
class StateLocation:
    """Where a state lies; `kms_key_id` is the key that encrypts it, None for the bucket's own (SSE-S3)."""

    bucket: str
    key: str
    region: str
    kms_key_id: str | None = None

    @property
    def folder(self) -> str:
        """The part of the key that tells shards apart: `<service>/<account>/<region>/<environment>`."""
        return self.key.rpartition("/")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyBucket:
    """Another bucket that gets a copy of every backup."""

    bucket: str
    region: str
    kms_key_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """What is kept beside a state, for how long, and where else.

    A backup goes when there are `backup_count` newer ones and it is older than `backup_days`. `audit_days`
    is how long audit records stay; `unredacted` whether the output of runs is kept as it was, too.
    """

    copies: tuple[CopyBucket, ...] = ()
    backup_count: int = 50
    backup_days: int = 90
    audit_days: int = 90
    unredacted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a resource comes from: its construct path, what the construct is, and the Python line."""

    path: str
    construct: str | None = None
    file: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StateElsewhere:
    """A state of a stack that lies somewhere else than Holdfast keeps it.

    `kind` is Terraform's word for the backend, `place` where it is, for people. `source` is what
    `holdfast adopt --from` takes for it, None where it has to be pulled first. The rest is known of local
    files that can be read; `objects` counts what the state manages.
    """

    kind: str
    place: str
    source: str | None = None
    lineage: str | None = None
    serial: int | None = None
    objects: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """One stack with a state of its own. `configuration` is the Terraform JSON, read once.

    `inputs` are the files and variables that it reads, as far as anybody has looked.
    """

    name: str
    directory: Path
    configuration: bytes = field(repr=False)
    service: str
    environment: str
    account: str
    region: str
    state: StateLocation
    keeping: Keeping = field(default_factory=Keeping)
    cloud: Literal["aws", "local"] = "aws"
    role_arn: str | None = None
    owners: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    protected: tuple[str, ...] = ()
    health_checks: tuple[Mapping[str, Any], ...] = ()
    gates: tuple[Mapping[str, Any], ...] = ()
    sources: Mapping[str, Source] = field(default_factory=dict)
    depends_on: tuple[str, ...] = ()
    inputs: Inputs = field(default=UNKNOWN, repr=False)
    elsewhere: StateElsewhere | None = None
    accepted_differences: tuple[AcceptedDifference, ...] = ()

    @property
    def guarded(self) -> tuple[str, ...]:
        """The resources that must not be destroyed unless each is named; none in environment local."""
        return () if LOCAL in (self.cloud, self.environment) else self.protected


def by_bucket(shards: Iterable[Shard]) -> tuple[tuple[Shard, ...], ...]:
    """Return the shards in groups: those whose states lie in one bucket of one cloud are together."""
    groups: dict[tuple[str, str, str], list[Shard]] = {}
    for shard in shards:
        groups.setdefault((shard.state.bucket, shard.state.region, shard.cloud), []).append(shard)
    return tuple(map(tuple, groups.values()))


@dataclass(frozen=True)
class Manifest:
    """Every shard of a synthesized app, in dependency order."""

    shards: tuple[Shard, ...]

    @cached_property
    def by_name(self) -> Mapping[str, Shard]:
        """The shards by name."""
        return {shard.name: shard for shard in self.shards}

    @cached_property
    def by_place(self) -> Mapping[tuple[str, str], Shard]:
        """The shards by bucket and key of their states."""
        return {(shard.state.bucket, shard.state.key): shard for shard in self.shards}

    @cached_property
    def graph(self) -> Graph:
        """Which shard depends on which."""
        return Graph({shard.name: shard.depends_on for shard in self.shards})


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A stack as cdktf's own manifest and files give it."""

    name: str
    directory: Path
    configuration: bytes = field(repr=False)
    depends_on: tuple[str, ...]


def refuse_linked(outdir: Path) -> None:
    """Return if the folder an app is synthesized to is a folder, and no link, or is not there yet.

    Raises SettingsError.
    """
    try:
        refuse_link(outdir, of=outdir.parent)
    except (FileNotFoundError, NotADirectoryError):
        return
    except UnsafePlaceError as error:
        raise SettingsError(
            error.what,
            next_step=f"{error.next_step}; `output` in cdktf.json and --output can name any other folder",
        ) from None


def is_synthesized(outdir: Path) -> bool:
    """Return whether there is anything to read."""
    return (outdir / CDKTF_MANIFEST).is_file()


def load_manifest(outdir: Path, defaults: "ForeignDefaults") -> Manifest:
    """Read what an app was synthesized to.

    `defaults` answers for a foreign app. Raises SettingsError where a file is missing, of a version
    not known, or says something that is not allowed.
    """
    refuse_linked(outdir)
    stacks = _stacks(outdir)
    described = outdir / HOLDFAST_MANIFEST
    if os.path.lexists(described):
        if defaults.keeping:
            raise SettingsError(
                "cdktf.json: context.holdfast.keeping is for an app that writes no holdfast.json, "
                "and this one does",
                next_step="leave it out, and have the app say `keeping` of each shard in holdfast.json",
            )
        shards = tuple(_beside_local_state(one, defaults.folder) for one in _described(described, stacks))
    else:
        from holdfast_orchestrator.foreign import foreign_shards  # noqa: PLC0415 - only where there is one

        shards = foreign_shards(stacks, defaults)
    _refuse_shared_states(shards)
    _refuse_strange_regions(shards)
    return _ordered(_with_accepted(shards, defaults.accepted_differences))


def _with_accepted(shards: tuple[Shard, ...], given: Any) -> tuple[Shard, ...]:
    """Add what cdktf.json accepts to what the app itself accepts."""
    if given is None:
        return shards
    from holdfast_orchestrator.manifest_accepted import accepted_by_stack  # noqa: PLC0415 - pydantic

    return accepted_by_stack(shards, given)


def _ordered(shards: tuple[Shard, ...]) -> Manifest:
    manifest = Manifest(shards)
    return Manifest(tuple(manifest.by_name[name] for name in manifest.graph.order))


def _stacks(outdir: Path) -> tuple[Stack, ...]:
    from holdfast_orchestrator.manifest_files import CdktfManifest  # noqa: PLC0415 - pydantic, only when used

    file = outdir / CDKTF_MANIFEST
    if not file.is_file():
        raise SettingsError(f"there is no {file}", next_step="holdfast synth")
    manifest = read_model(file, CdktfManifest)
    # cdktf names stacks by their ids and what they depend on by construct paths: a stack may lie in another.
    names = {stack.construct_path or name: name for name, stack in manifest.stacks.items()}
    return tuple(
        Stack(
            name=_checked_name(name, file),
            directory=outdir / stack.working_directory,
            configuration=_read_inside(outdir, stack.synthesized_stack_path),
            depends_on=tuple(sorted({names.get(path, path) for path in stack.dependencies})),
        )
        for name, stack in sorted(manifest.stacks.items())
    )


def _checked_name(name: str, file: Path) -> str:
    """Return the id of a stack that may be one. The names of its places are made from it in `state_key`."""
    visible = all(unicodedata.category(sign) not in _INVISIBLE for sign in name)
    short = 0 < len(name.encode(errors="surrogatepass")) <= _LONGEST_NAME
    if not (visible and short) or name == "." or _HOSTILE.search(name):
        raise SettingsError(
            f"{file}: a stack's name must be 1-{_LONGEST_NAME} bytes of visible characters, "
            f"without `/`, `..`, `$` and backticks, and not starting with `-` or `~`, got {name!r}",
            next_step="rename the stack in the app",
        )
    return name


def _read_inside(outdir: Path, relative: str) -> bytes:
    path = (outdir / relative).resolve()
    if not path.is_relative_to(outdir.resolve()):
        raise SettingsError(f"{outdir / CDKTF_MANIFEST}: path {relative!r} leads out of {outdir}")
    try:
        content = read_settings(path, follow=True)
        parse_json(content)
    except FileNotFoundError as error:
        raise SettingsError(f"cannot read {path}: {error.strerror}", next_step="holdfast synth") from None
    except ValueError as error:
        raise SettingsError(f"{path} is {explain(error)}", next_step="holdfast synth") from None
    return content


def read_model(file: Path, model: type[M]) -> M:
    """Read a JSON file as `model`. Raises SettingsError naming the file and each field that is wrong."""
    try:
        return model.model_validate(parse_json(read_settings(file)))
    except FileNotFoundError as error:
        raise SettingsError(f"cannot read {file}: {error.strerror}") from None
    except ValueError as error:
        raise SettingsError(f"{file}: {explain(error)}") from None


def explain(error: ValueError) -> str:
    """Return a validation error in one line: field, what is wrong, what was got."""
    problems = getattr(error, "errors", None)
    if problems is None:
        return f"not valid JSON: {error}"
    return "; ".join(
        f"{'.'.join(map(str, problem['loc'])) or 'document'}: {problem['msg']}, got {problem['input']!r:.80}"
        for problem in problems()
    )


def _described(file: Path, stacks: tuple[Stack, ...]) -> tuple[Shard, ...]:
    from holdfast_orchestrator.manifest_files import DeploymentManifest  # noqa: PLC0415 - see above

    described = read_model(file, DeploymentManifest).shards
    missing = sorted({stack.name for stack in stacks} ^ set(described))
    if missing:
        raise SettingsError(
            f"{file} and {CDKTF_MANIFEST} do not name the same stacks: {', '.join(missing)}",
            next_step="holdfast synth",
        )
    return tuple(_shard(stack, described[stack.name], file) for stack in stacks)


def _beside_local_state(shard: Shard, folder: Path | None) -> Shard:
    """The shard, with the state that cdktf-cli left in a file, where there is one."""
    from holdfast_orchestrator.elsewhere import default_file, state_in_file  # noqa: PLC0415 - it uses this

    there = None if folder is None else state_in_file(default_file(shard.name, folder))
    return shard if there is None else replace(shard, elsewhere=there)


def _shard(stack: Stack, given: Any, file: Path) -> Shard:
    expected = checked_state_key(
        f"{file}: {stack.name}", given.service, given.account, given.region, given.environment
    )
    if given.state.key != expected:
        raise SettingsError(f"{file}: {stack.name}: state.key must be {expected!r}, got {given.state.key!r}")
    _refuse_another_backend(stack, given.state, file)
    return Shard(
        name=stack.name,
        directory=stack.directory,
        configuration=stack.configuration,
        depends_on=stack.depends_on,
        service=given.service,
        environment=given.environment,
        account=given.account,
        region=given.region,
        state=StateLocation(**given.state.model_dump()),
        keeping=given.keeping.as_keeping(),
        cloud=given.cloud,
        role_arn=given.role_arn,
        owners=given.owners,
        tags=given.tags,
        protected=given.protected,
        health_checks=given.health_checks,
        gates=given.gates,
        accepted_differences=tuple(entry.as_value() for entry in given.accepted_differences),
        sources={
            address: Source(**source.model_dump(by_alias=True)) for address, source in given.sources.items()
        },
    )


def _refuse_another_backend(stack: Stack, state: Any, file: Path) -> None:
    """Terraform goes where the configuration says; backups, lock and lease go where the manifest says."""
    try:
        declared = (json.loads(stack.configuration).get("terraform") or {}).get("backend") or {}
    except ValueError as error:
        raise SettingsError(
            f"{stack.name}: its cdk.tf.json is {explain(error)}", next_step="holdfast synth"
        ) from None
    backend, wanted = declared.get("s3") or {}, f"s3://{state.bucket}/{state.key}"
    found = f"s3://{backend.get('bucket')}/{backend.get('key')}" if backend else ", ".join(declared) or "none"
    if found != wanted:
        raise SettingsError(
            f"{file}: {stack.name}: the stack's own backend must be {wanted}, got {found}",
            next_step="give the stack an S3Backend with this bucket and key, or mend what the app writes",
        )


def checked_state_key(of: str, service: str, account: str, region: str, environment: str) -> str:
    """Return the state key. Raises SettingsError that begins with `of` for a part that is not allowed."""
    try:
        return state_key(service, account, region, environment)
    except InvalidStateKeyError as error:
        raise SettingsError(f"{of}: {error}") from None


def _refuse_strange_regions(shards: tuple[Shard, ...]) -> None:
    """Nobody answers in a region that is none, and what is said then names something else."""
    for shard in shards:
        buckets = (shard.state.region, *(copy.region for copy in shard.keeping.copies))
        for region in (shard.region, *buckets):
            if _REGION.fullmatch(region) is None:
                raise SettingsError(
                    f"{shard.name}: region must be an AWS region such as eu-west-1, got {region!r}",
                    next_step="correct `region` (of the stack, of its state, of its copies) where it is set",
                )


def _refuse_shared_states(shards: tuple[Shard, ...]) -> None:
    owners: dict[tuple[str, str], str] = {}
    for shard in shards:
        place = (shard.state.bucket, shard.state.key)
        if place in owners:
            raise SettingsError(
                f"stacks {owners[place]!r} and {shard.name!r} would share the state {shard.state.key!r}",
                next_step="rename one of the stacks",
            )
        owners[place] = shard.name
