"""Stage 3 for one shard: the gates of the app, and the one that asks what could not be undone."""

from holdfast_orchestrator.deploy.decisions.reversibility import Reversibility, advice_of, judge_forward
from holdfast_orchestrator.deploy.work.attempt import Attempt
from holdfast_orchestrator.deploy.work.leased_shard import LeasedShard
from holdfast_orchestrator.errors import GateError
from holdfast_orchestrator.terraform.json_values import Document


def judge_reversible(leased: LeasedShard, attempt: Attempt, plan: Document) -> Reversibility:
    """Judge a plan. Raises GateError where something in it could not be undone and nobody approved it."""
    judged = judge_forward(
        plan,
        protection=leased.protection,
        approvals=attempt.consents,
        last_good=attempt.good_index,
    )
    refuse_held(judged)
    return judged


def refuse_held(judged: Reversibility) -> None:
    """Raise GateError where a verdict holds something."""
    if judged.held:
        raise GateError(
            " ".join(finding.sentence for finding in judged.held),
            next_step="; ".join(dict.fromkeys(filter(None, map(advice_of, judged.held)))),
        )
