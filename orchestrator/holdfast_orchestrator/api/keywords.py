"""Selections and options given as keywords: `project.plan(env="staging", refresh=True)`.

Each keyword sets the option of the same name: those of `select` choose shards, the others are options.
"""

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

from holdfast_orchestrator.api.options import PlanOptions, RunOptions
from holdfast_orchestrator.app.selection import EVERYTHING, Names, Selection, select

if TYPE_CHECKING:
    from holdfast_orchestrator.deploy.run_context import DeployPolicy
    from holdfast_orchestrator.executor.address import Cluster
    from holdfast_orchestrator.preview.refusals import Agreed

Options = TypeVar("Options", bound=PlanOptions | RunOptions)


class SelectionKeywords(TypedDict, total=False):
    """Which shards: the arguments of `select`."""

    env: Names
    service: Names
    stack: Names
    include_dependents: bool
    changed_since: str | None


class PlanKeywords(SelectionKeywords, total=False):
    """Which shards, and the fields of `PlanOptions`; `one_environment` is a field of `Selection`."""

    one_environment: bool
    refresh: bool
    explain: bool
    take_over_app: str | None
    agreed: "Agreed | None"
    max_parallel: int | None
    max_parallel_per_account: int | None


class RunKeywords(SelectionKeywords, total=False):
    """Which shards, and the fields of `RunOptions`; `allow_destroy` adds addresses to `policy.allowed`."""

    allow_destroy: Iterable[str]
    policy: "DeployPolicy | None"
    command: str
    max_parallel: int | None
    max_parallel_per_account: int | None


class DestroyKeywords(RunKeywords, total=False):
    """As `RunKeywords`; `retired` is a stack that is no longer in the app."""

    retired: str | None


class DeployKeywords(RunKeywords, total=False):
    """As `RunKeywords`, and the other fields of `DeployOptions`."""

    atomic: bool
    refresh: bool
    executor: "str | Cluster | None"


_SELECTING = frozenset(SelectionKeywords.__annotations__)


def refuse_both(keywords: Mapping[str, Any]) -> None:
    """Raise TypeError if keywords choose shards beside a selection or a plan."""
    chosen = sorted(_SELECTING & keywords.keys())
    if chosen:
        raise TypeError(
            f"{', '.join(chosen)}: the selection or plan that is given says which shards are meant"
        )


def selected(selection: Selection, keywords: Mapping[str, Any]) -> Selection:
    """Return the selection, or that of the keywords. Raises TypeError if both are given."""
    if selection != EVERYTHING:
        refuse_both(keywords)
    if chosen := {name: value for name, value in keywords.items() if name in _SELECTING}:
        selection = select(**chosen)
    return replace(selection, one_environment=True) if keywords.get("one_environment") else selection


def optioned(options: Options, keywords: Mapping[str, Any]) -> Options:
    """Return the options with the fields that keywords set. Raises TypeError for an unknown keyword."""
    rest = {name: keywords[name] for name in keywords.keys() - _SELECTING - {"one_environment"}}
    allowed = frozenset(rest.pop("allow_destroy", ()))
    unknown = rest.keys() - {field.name for field in fields(options)}
    if unknown:
        raise TypeError(f"unexpected keyword: {', '.join(sorted(unknown))}")
    options = replace(options, **rest)
    if allowed and isinstance(options, RunOptions):
        from holdfast_orchestrator.deploy.run_context import DeployPolicy  # noqa: PLC0415 - only with Terraform

        policy = options.policy or DeployPolicy()
        options = replace(options, policy=replace(policy, allowed=policy.allowed | allowed))
    return options
