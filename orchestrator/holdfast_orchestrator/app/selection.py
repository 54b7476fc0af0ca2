"""Which shards of an app a command is about, and what to call them.

Each kind of name narrows the choice; several names of one kind widen it. What is asked for and does
not exist is an error that lists what does. Upstreams are never pulled in by themselves.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from holdfast_orchestrator.app.manifest import Manifest, Shard
from holdfast_orchestrator.errors import UsageError, nearest

Names = str | Sequence[str]
"""One name, or several."""


def names_of(given: Names) -> tuple[str, ...]:
    """Return one name or several as a tuple."""
    return (given,) if isinstance(given, str) else tuple(given)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What was asked for; an empty tuple means all. `stacks` are globs over shard and service names.

    With `one_environment` a choice that spans several environments has to name them. `changed_since` is a
    git revision: of these only what synthesizes differently now. `changed` are the names of those shards,
    of which there may be none, once somebody has found them out.
    """

    environments: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    stacks: tuple[str, ...] = ()
    include_dependents: bool = False
    one_environment: bool = False
    changed_since: str | None = None
    changed: frozenset[str] | None = None

    def of(self, manifest: Manifest) -> tuple[Shard, ...]:
        """Return the shards chosen, in dependency order.

        Raises UsageError for a name or glob that matches nothing, and for an app without stacks.
        """
        if self.changed_since is not None:
            raise ValueError("what changed since a revision has to be found out first")
        chosen = _narrowed(manifest.shards, "--env", self.environments, lambda shard: (shard.environment,))
        chosen = _narrowed(chosen, "--service", self.services, lambda shard: shard.services)
        chosen = _globbed(chosen, self.stacks)
        if not chosen:
            raise UsageError("this app has no stacks")
        self._refuse_many_environments(chosen)
        names = {shard.name for shard in chosen if self.changed is None or shard.name in self.changed}
        if self.include_dependents:
            names |= manifest.graph.dependents(names)
        return tuple(shard for shard in manifest.shards if shard.name in names)

    def _refuse_many_environments(self, chosen: Iterable[Shard]) -> None:
        names = sorted({shard.environment for shard in chosen})
        if self.one_environment and not self.environments and len(names) > 1:
            raise UsageError(
                f"this is about {len(names)} environments: {', '.join(names)}",
                next_step=f"name what is meant, for example: holdfast … --env {names[0]}",
            )


EVERYTHING = Selection()
"""Every shard of the app."""


def select(
    *,
    env: Names = (),
    service: Names = (),
    stack: Names = (),
    include_dependents: bool = False,
    changed_since: str | None = None,
) -> Selection:
    """Return the choice of these environments, services and stacks (none: all), each one name or several."""
    return Selection(
        environments=names_of(env),
        services=names_of(service),
        stacks=names_of(stack),
        include_dependents=include_dependents,
        changed_since=changed_since,
    )


def _narrowed(
    shards: Sequence[Shard], option: str, names: Iterable[str], named: Callable[[Shard], tuple[str, ...]]
) -> tuple[Shard, ...]:
    asked = tuple(names)
    existing = {name for shard in shards for name in named(shard)}
    for name in asked:
        if name not in existing:
            raise UsageError(
                f"{option} {name!r} matches no stack; there are: {', '.join(sorted(existing))}",
                next_step=_meant(option, name, existing),
            )
    return tuple(shard for shard in shards if not asked or set(named(shard)) & set(asked))


def _meant(option: str, asked: str, names: Iterable[str]) -> str | None:
    meant = nearest(asked, names)
    return None if meant is None else f"if you mean it: holdfast … {option} {meant}"


def _globbed(shards: Sequence[Shard], globs: Iterable[str]) -> tuple[Shard, ...]:
    chosen: set[str] = set()
    asked = tuple(globs)
    for glob in asked:
        matching = {
            shard.name
            for shard in shards
            if glob == shard.name or any(fnmatchcase(name, glob) for name in (shard.name, *shard.services))
        }
        if not matching:
            names = ", ".join(sorted(shard.name for shard in shards))
            every = {name for shard in shards for name in (shard.name, *shard.services)}
            raise UsageError(
                f"--stack {glob!r} matches no stack; there are: {names}",
                next_step=_meant("--stack", glob, every),
            )
        chosen |= matching
    return tuple(shard for shard in shards if not asked or shard.name in chosen)


def alone(shard: Shard) -> Selection:
    """Return the selection of exactly this shard, as the options of a command can say it."""
    return Selection(environments=(shard.environment,), services=(shard.service,), stacks=(shard.name,))


def naming(shard: Shard) -> tuple[str, ...]:
    """Return the options of a command line that choose what `alone` does."""
    asked = alone(shard)
    return ("--env", *asked.environments, "--service", *asked.services, "--stack", *asked.stacks)


def refuse_ambiguous(shard: Shard, manifest: Manifest) -> None:
    """Return if `alone` chooses this shard and no other; raises UsageError that names the others."""
    others = [other.name for other in alone(shard).of(manifest) if other.name != shard.name]
    if others:
        raise UsageError(
            f"shard {shard.name!r} cannot be named by itself: its name is also the service of "
            f"{', '.join(others)}",
            next_step="rename the stack or the service",
        )


def labels(shards: Iterable[Shard]) -> Mapping[str, str]:
    """Return the shortest name that no other shard has too, by shard name."""
    labelled = tuple(shards)
    spellings = (
        {shard.name: _spelled(shard, shard.service) for shard in labelled},
        {shard.name: _spelled(shard, f"{shard.service}-{shard.environment}") for shard in labelled},
        {shard.name: _spelled(shard, f"{shard.service}-{shard.region}") for shard in labelled},
        {shard.name: shard.name for shard in labelled},
    )
    clear = [names for names in spellings if len(set(names.values())) == len(labelled)]
    return min(clear, key=lambda names: sum(map(len, names.values())))


def _spelled(shard: Shard, spelling: str) -> str:
    """A spelling with the service; where that was made from the stack's id, the id as the app has it."""
    return spelling if shard.name.startswith(shard.service) else shard.name
