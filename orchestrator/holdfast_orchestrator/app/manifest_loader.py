"""Reads what an app was synthesized to: cdktf.out, with or without a description by holdfast_constructs."""

import json
import os
import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import Any

from holdfast_orchestrator.app.accepted_differences import accepted_by_stack
from holdfast_orchestrator.app.foreign import ForeignDefaults
from holdfast_orchestrator.app.json_model import explain, read_model
from holdfast_orchestrator.app.manifest import (
    _HOSTILE,
    _INVISIBLE,
    _LONGEST_NAME,
    _REGION,
    CDKTF_MANIFEST,
    HOLDFAST_MANIFEST,
    Manifest,
    Shard,
    Source,
    Stack,
    StateLocation,
    Tenant,
    checked_state_key,
)
from holdfast_orchestrator.app.manifest_schema import CdktfManifest, DeploymentManifest
from holdfast_orchestrator.app.other_backends import default_file, state_in_file
from holdfast_orchestrator.errors import SettingsError
from holdfast_orchestrator.system.json_input import parse_json, read_settings
from holdfast_orchestrator.system.private_files import UnsafePlaceError, refuse_link


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


def load_manifest(outdir: Path, defaults: ForeignDefaults) -> Manifest:
    """Read what an app was synthesized to.

    `defaults` completes a foreign app. Raises SettingsError for a file that is missing, has an unknown
    version, or has a value that is not allowed.
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
        shards = tuple(_beside_local_state(shard, defaults.folder) for shard in _described(described, stacks))
    else:
        from holdfast_orchestrator.app.foreign import foreign_shards  # noqa: PLC0415 - only where there is one

        shards = foreign_shards(stacks, defaults)
    _refuse_shared_states(shards)
    _refuse_strange_regions(shards)
    if defaults.accepted_differences is not None:
        shards = accepted_by_stack(shards, defaults.accepted_differences)
    manifest = Manifest(shards)
    return Manifest(tuple(manifest.by_name[name] for name in manifest.graph.order))


def _stacks(outdir: Path) -> tuple[Stack, ...]:
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


def _described(file: Path, stacks: tuple[Stack, ...]) -> tuple[Shard, ...]:
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
    state = None if folder is None else state_in_file(default_file(shard.name, folder))
    return shard if state is None else replace(shard, elsewhere=state)


def _shard(stack: Stack, given: Any, file: Path) -> Shard:
    expected = checked_state_key(
        f"{file}: {stack.name}",
        *(given.service, given.account, given.region, given.environment),
        project=given.project,
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
        tenant=None if given.tenant is None else Tenant(**given.tenant.model_dump()),
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
    """Terraform uses the configuration's backend; backups, lock and lease use the manifest's place."""
    declared = (json.loads(stack.configuration).get("terraform") or {}).get("backend") or {}
    s3, expected = declared.get("s3") or {}, f"s3://{state.bucket}/{state.key}"
    place = f"s3://{s3.get('bucket')}/{s3.get('key')}" if s3 else ", ".join(declared) or "none"
    if place != expected:
        raise SettingsError(
            f"{file}: {stack.name}: the stack's own backend must be {expected}, got {place}",
            next_step="give the stack an S3Backend with this bucket and key, or correct what the app writes",
        )


def _refuse_strange_regions(shards: tuple[Shard, ...]) -> None:
    """AWS does not answer in a region that does not exist, and that error would name something else."""
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
