"""The way back: last good configuration against the partial state, guarded, applied, proved.

A rollback never starts another rollback. What the guard refuses is left as it is, for a person.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from holdfast_orchestrator.deploy.aftermath import examine
from holdfast_orchestrator.deploy.attempt import Attempt, parsed
from holdfast_orchestrator.deploy.bench import Bench
from holdfast_orchestrator.deploy.locks import release_our_lock
from holdfast_orchestrator.deploy.promotion import pins_now
from holdfast_orchestrator.deploy.proof import prove, sentence, to_keep, told
from holdfast_orchestrator.deploy.recovery import mend
from holdfast_orchestrator.engine.toolchain import dotted
from holdfast_orchestrator.errors import EngineError, GateError, NeedsPersonError
from holdfast_orchestrator.record.artifact import Artifact, read_artifact
from holdfast_orchestrator.rollback.changes import read_plan
from holdfast_orchestrator.rollback.documents import Document
from holdfast_orchestrator.rollback.guard import Bounds, Candidate, Violation, Written, judge_rollback
from holdfast_orchestrator.rollback.identities import Identity, IdentityIndex
from holdfast_orchestrator.rollback.imports import ImportBlock, import_id
from holdfast_orchestrator.rollback.machine import ROLLBACK_RETRIES, Phase
from holdfast_orchestrator.rollback.plan_file import Stamp, prior_stamp
from holdfast_orchestrator.rollback.rollback_config import (
    Pin,
    RollbackConfiguration,
    RollbackNeeds,
    build_rollback,
    changed_pins,
    empty_like,
    inverse_moves,
    to_forget,
)
from holdfast_orchestrator.rollback.state_edits import (
    deposed_to_swap,
    forget_in_state,
    move_in_state,
    swap_deposed,
)
from holdfast_orchestrator.rollback.versions import locked_providers

_FILE = "rollback.tfplan"
_LOCK = ".terraform.lock.hcl"


class BlockedRollbackError(NeedsPersonError):
    """The guard refused the rollback; nothing of it was applied. Carries the violations."""

    def __init__(self, what: str, *, next_step: str, violations: tuple[Violation, ...]) -> None:
        super().__init__(what, next_step=next_step)
        self.violations = violations


@dataclass(slots=True, kw_only=True)
class Rollback:
    """A rollback in the making."""

    needs: RollbackNeeds = field(default_factory=RollbackNeeds)
    built: RollbackConfiguration | None = None
    created: frozenset[Identity] = frozenset()
    prior: Stamp = field(default_factory=lambda: Stamp("", 0))
    terraform: Any = field(default=None, repr=False)
    plan_file: Path | None = None
    plan: Document = field(default_factory=dict, repr=False)
    code: int = 0
    errors: tuple[str, ...] = ()

    @property
    def configuration(self) -> Document:
        """The configuration to go back to."""
        return {} if self.built is None else self.built.configuration


def snapshot_partial(bench: Bench, attempt: Attempt) -> Phase:
    """Back up what the failure has left."""
    with bench.phase(Phase.PARTIAL_SNAPSHOT) as entry:
        bench.step("rolling back")
        if (snapshot := bench.snapshot()) is not None:
            entry["backup"] = bench.back_up(snapshot, "before rollback", artifact=attempt.artifact)
    return Phase.RB_BUILD


def build(bench: Bench, attempt: Attempt) -> Phase:
    """Work out the configuration to go back to, and make the edits only the state can express."""
    with bench.phase(Phase.RB_BUILD, retry=attempt.rollback_retries) as entry:
        _refuse_point_of_no_return(attempt)
        _refuse_changed_inputs(bench, attempt)
        _swap_deposed(bench, attempt)
        found = examine(bench, attempt)
        created = found.settled.created | attempt.adopted | attempt.debt.created
        needs = _needs(attempt, found.now, created)
        built = build_rollback(_goal(attempt), _newest(bench, attempt), needs=needs, state=found.now)
        if built.problems:
            raise BlockedRollbackError(
                " ".join(built.problems), next_step="fix forward and deploy", violations=()
            )
        _let_go(attempt, needs, found.now)
        entry["let_go"] = sorted(attempt.let_go)
        _edit_state(bench, built)
        attempt.rollback = Rollback(needs=needs, built=built, created=frozenset(created))
    return Phase.RB_PLANNED


def plan(bench: Bench, attempt: Attempt) -> Phase:
    """Plan the rollback against the newest state."""
    rollback: Rollback = attempt.rollback
    with bench.phase(Phase.RB_PLANNED) as entry:
        snapshot = bench.snapshot()
        rollback.prior = Stamp("", 0) if snapshot is None else Stamp(snapshot.lineage, snapshot.serial)
        rollback.terraform = bench.terraform(rollback.configuration)
        outcome = rollback.terraform.plan(out=_FILE)
        rollback.plan_file = outcome.plan if outcome.changes else None
        rollback.plan = rollback.terraform.show_plan(outcome.plan) if outcome.changes else {}
        if outcome.changes and attempt.person.skip:
            _plan_without(rollback, attempt.person.skip)
        entry["changes"] = sorted(read_plan(rollback.plan).touched) if rollback.plan else []
    return Phase.RB_GUARDED


def guard(bench: Bench, attempt: Attempt) -> Phase:
    """Hold exactly this plan against the rules. Raises BlockedRollbackError where one is broken."""
    rollback: Rollback = attempt.rollback
    with bench.phase(Phase.RB_GUARDED) as entry:
        if rollback.plan_file is None:
            return Phase.RB_APPLYING
        runner = _written(rollback.terraform)
        violations = judge_rollback(
            Candidate(rollback.plan, prior_stamp(rollback.plan_file.read_bytes()), runner),
            _bounds(bench, attempt, runner),
        )
        entry["violations"] = [f"{one.rule} {one.sentence}" for one in violations]
        if violations:
            raise BlockedRollbackError(
                "undoing this is refused: " + " ".join(dict.fromkeys(one.sentence for one in violations)),
                next_step="fix forward and deploy, or: "
                + "; ".join(dict.fromkeys(one.next_step for one in violations)),
                violations=violations,
            )
    return Phase.RB_APPLYING


def apply(bench: Bench, attempt: Attempt) -> Phase:
    """Apply the guarded plan; it is never interrupted by us."""
    rollback: Rollback = attempt.rollback
    with bench.phase(Phase.RB_APPLYING) as entry:
        if rollback.plan_file is not None:
            bench.lease.confirm()
            applied = rollback.terraform.apply(rollback.plan_file)
            rollback.plan_file = None
            attempt.records.append(applied.record)
            rollback.code = applied.code
            rollback.errors = tuple(
                f"{one.summary}: {one.detail}" if one.detail else one.summary
                for one in applied.diagnostics
                if one.is_error
            )
        entry["code"] = rollback.code
    return Phase.RB_SETTLE


def settle(bench: Bench, attempt: Attempt) -> Phase:
    """See that the state was saved; recover it where it was not."""
    rollback: Rollback = attempt.rollback
    with bench.phase(Phase.RB_SETTLE) as entry:
        found = examine(bench, attempt)
        entry["state"] = type(found.decision).__name__
        if not found.state_is_whole:
            mend(bench, attempt, found)
        if not found.state_is_whole or rollback.built is None:
            # What was recovered, and what a restart found, wants a plan of its own.
            return Phase.RB_RETRY
    return Phase.RB_VERIFY


def verify(bench: Bench, attempt: Attempt) -> Phase:
    """Prove that the last good version stands again."""
    rollback: Rollback = attempt.rollback
    with bench.phase(Phase.RB_VERIFY) as entry:
        bench.step("verifying the rollback")
        try:
            proof = prove(bench, attempt, rollback.configuration)
        except EngineError as error:
            rollback.errors = (*rollback.errors, error.what)
            return Phase.RB_RETRY
        entry.update(told(proof))
        if proof.proven or (not proof.lost and set(proof.differing) <= set(attempt.person.skip)):
            return Phase.ROLLED_BACK
        rollback.errors = (*rollback.errors, sentence(proof))
    return Phase.RB_RETRY


def retry(bench: Bench, attempt: Attempt) -> Phase:
    """Once more with a fresh plan, a bounded number of times. Raises NeedsPersonError after that."""
    attempt.rollback_retries += 1
    rollback: Rollback = attempt.rollback or Rollback()
    with bench.phase(Phase.RB_RETRY, retry=attempt.rollback_retries):
        if attempt.rollback_retries > ROLLBACK_RETRIES:
            why = "; ".join(dict.fromkeys(rollback.errors)) or "it gave no reason"
            raise NeedsPersonError(
                f"the rollback failed {attempt.rollback_retries} times: {why}",
                next_step=f"holdfast resume {attempt.run} --continue, or with "
                "--skip ADDRESS, --orphan ADDRESS, --accept-forward",
            )
        bench.run.clock.sleep(float(attempt.rollback_retries))
        with suppress(GateError):
            release_our_lock(bench)
        rollback.errors = ()
    return Phase.RB_BUILD


def _goal(attempt: Attempt) -> Document:
    return empty_like(attempt.configuration) if attempt.good is None else attempt.good.configuration


def _newest(bench: Bench, attempt: Attempt) -> Document:
    """What failed; with the providers earlier failed runs needed."""
    from holdfast_orchestrator.rollback.provider_blocks import union_providers  # noqa: PLC0415

    newest: Document = attempt.stage_configuration
    for sha in attempt.debt.artifacts:
        newest = union_providers(newest, parsed(read_artifact(bench.store, sha).configuration)).configuration
    return newest


def _needs(
    attempt: Attempt, now: IdentityIndex, created: frozenset[Identity] | set[Identity]
) -> RollbackNeeds:
    good = _good_index(attempt)
    imported = {known.identity for known in now if known.address in attempt.imported}
    forget = to_forget(
        now,
        good,
        imported=imported,
        created=created,
        keep_created=attempt.health_began or attempt.debt.health_began,
    )
    orphaned = tuple(address for address in attempt.person.orphan if address in now.by_address)
    return RollbackNeeds(
        moves=inverse_moves(good, now),
        forget=tuple(dict.fromkeys((*forget, *orphaned))),
        import_again=tuple(_import_again(attempt, good, now)),
    )


def _let_go(attempt: Attempt, needs: RollbackNeeds, now: IdentityIndex) -> None:
    """Remember, and tell, what stays in the cloud and leaves the state."""
    for address in needs.forget:
        known = now.by_address.get(address)
        if known is not None and (known.identity.kind, known.id or address) not in attempt.let_go:
            attempt.let_go.add((known.identity.kind, known.id or address))
            attempt.notes.append(f"{address} ({known.id}) stays in the cloud and is no longer in the state")


def _import_again(attempt: Attempt, good: IdentityIndex, now: IdentityIndex) -> list[ImportBlock]:
    """What the failed run let go of, and the last good version owns."""
    blocks = []
    attributes = _attributes(attempt.before.document or {})
    for address in sorted(attempt.forgotten):
        known = good.by_address.get(address)
        if known is None or known.identity in now:
            continue
        found = import_id(known.identity.kind, known.id, attributes.get(address, {}))
        if found is not None:
            blocks.append(ImportBlock(address, found, known.id))
    return blocks


def _attributes(state: Document) -> Mapping[str, Document]:
    from holdfast_orchestrator.rollback.documents import managed  # noqa: PLC0415

    return {address: instance.get("attributes") or {} for address, _, instance in managed(state)}


def _swap_deposed(bench: Bench, attempt: Attempt) -> None:
    snapshot = bench.snapshot()
    if snapshot is None:
        return
    swaps = deposed_to_swap(snapshot.document, _good_index(attempt))
    if swaps:
        bench.put_state(swap_deposed(snapshot.document, swaps), reason="before deposed objects are swapped")


def _edit_state(bench: Bench, built: RollbackConfiguration) -> None:
    snapshot = bench.snapshot()
    if snapshot is None or not (built.state_moves or built.state_forgets):
        return
    document: Document = snapshot.document
    if built.state_forgets:
        document = forget_in_state(document, built.state_forgets)
    if built.state_moves:
        document = move_in_state(document, built.state_moves)
    bench.put_state(document, reason="before addresses are put right")


def _plan_without(rollback: Rollback, skip: tuple[str, ...]) -> None:
    """Plan again, of everything but the addresses a person wants left as they are."""
    wanted = sorted(change.address for change in read_plan(rollback.plan) if change.touches)
    targets = [address for address in wanted if address not in skip]
    if not targets:
        rollback.plan_file, rollback.plan = None, {}
        return
    outcome = rollback.terraform.plan(out=_FILE, targets=targets)
    rollback.plan_file = outcome.plan if outcome.changes else None
    # A plan with targets is never complete; what is left out was left out on purpose.
    shown = rollback.terraform.show_plan(outcome.plan) if outcome.changes else {}
    rollback.plan = {**shown, "complete": True} if shown else {}


def _bounds(bench: Bench, attempt: Attempt, runner: Written) -> Bounds:
    rollback: Rollback = attempt.rollback
    snapshot = bench.snapshot()
    version = "" if snapshot is None else str(snapshot.document.get("terraform_version", ""))
    built = rollback.built
    forgets = set(rollback.needs.forget) | set(() if built is None else built.state_forgets)
    return Bounds(
        last_good=to_keep(attempt),
        created=rollback.created,
        touched=attempt.touched
        | {known.address for known in bench.index(_document(bench)) if known.identity in rollback.created},
        prior=rollback.prior,
        writer=Written(version or runner.terraform, _writer_providers(bench, attempt)),
        moves=rollback.needs.moves,
        forgets=frozenset(forgets),
        imports=frozenset(block.address for block in rollback.needs.import_again),
        protection=bench.protection,
        health_began=attempt.health_began or attempt.debt.health_began,
        approvals=attempt.consents,
        run=attempt.run,
        shard=bench.shard.name,
    )


def _written(terraform: Any) -> Written:
    lock = terraform.workdir / _LOCK
    providers = locked_providers(lock.read_text()) if lock.is_file() else {}
    return Written(dotted(terraform.engine.version), providers)


def _writer_providers(bench: Bench, attempt: Attempt) -> Mapping[str, str]:
    """The versions the failed apply used, as its artifact has them."""
    artifact: Artifact = read_artifact(bench.store, attempt.artifact)
    return dict(artifact.providers)


def _good_index(attempt: Attempt) -> IdentityIndex:
    return to_keep(attempt)


def _document(bench: Bench) -> Any:
    snapshot = bench.snapshot()
    return None if snapshot is None else snapshot.document


def _refuse_point_of_no_return(attempt: Attempt) -> None:
    """An approved loss that has happened cannot be undone by anything here."""
    from holdfast_orchestrator.rollback.forward_gate import judge_forward  # noqa: PLC0415
    from holdfast_orchestrator.rollback.stateful import Protection  # noqa: PLC0415

    done = {step.address for step in attempt.progress().done if step.action in ("delete", "update")}
    passed = {
        address
        for gated in attempt.plans
        for address in judge_forward(
            gated,
            protection=Protection(),
            approvals=attempt.consents,
            last_good=None if attempt.good is None else attempt.good.record.index,
        ).past_return
    }
    if gone := sorted(done & passed):
        raise BlockedRollbackError(
            f"what was approved beforehand and has happened cannot be undone: {', '.join(gone)}",
            next_step="fix forward and deploy, or take what stands for good: "
            f"holdfast resume {attempt.run} --accept-forward",
            violations=(),
        )


def _refuse_changed_inputs(bench: Bench, attempt: Attempt) -> None:
    if attempt.good is None or attempt.policy.together:
        return
    now = pins_now(bench, attempt.good.configuration)
    pinned = {
        name: Pin(pin.generation, pin.outputs_sha256)
        for name, pin in attempt.good.record.inputs.items()
        if name in now
    }
    changed = changed_pins(pinned, now)
    if changed:
        names = ", ".join(bench.run.label(name) for name in changed)
        raise BlockedRollbackError(
            f"the last good deployment used other outputs of {names} than there are now; going back would "
            "mix an old configuration with new values",
            next_step="fix forward and deploy, or roll back first: "
            + "; ".join(f"holdfast rollback {name}" for name in changed),
            violations=(),
        )
