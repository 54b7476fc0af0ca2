from holdfast_orchestrator.system.stop import StopSignal, Urgency


def test_the_first_demand_interrupts_nobody() -> None:
    stop, interrupted = StopSignal(), list[str]()

    with stop.interrupting(lambda: interrupted.append("terraform")):
        stop.ask()

    assert stop.asked
    assert stop.urgency is Urgency.FINISH
    assert interrupted == []


def test_the_second_demand_interrupts_each_running_terraform_once() -> None:
    stop, interrupted = StopSignal(), list[str]()

    with (
        stop.interrupting(lambda: interrupted.append("network")),
        stop.interrupting(lambda: interrupted.append("orders")),
    ):
        for _ in range(4):
            stop.ask()

    assert sorted(interrupted) == ["network", "orders"]


def test_a_terraform_that_has_ended_is_not_interrupted() -> None:
    stop, interrupted = StopSignal(), list[str]()
    with stop.interrupting(lambda: interrupted.append("network")):
        pass

    stop.ask()
    stop.ask()

    assert interrupted == []


def test_a_terraform_that_begins_after_the_second_demand_is_interrupted_at_once() -> None:
    stop, interrupted = StopSignal(), list[str]()
    stop.ask()
    stop.ask()

    with stop.interrupting(lambda: interrupted.append("late")):
        pass

    assert interrupted == ["late"]


def test_something_is_at_stake_only_inside_a_run() -> None:
    stop = StopSignal()

    with stop.guarding():
        inside = stop.at_stake

    assert inside
    assert not stop.at_stake


def test_a_run_is_over_after_its_last_guarded_part_and_not_after_its_plan() -> None:
    stop = StopSignal()
    with stop.guarding(is_last=False):
        pass
    planned = stop.is_over

    with stop.guarding():
        pass

    assert not planned
    assert stop.is_over
