"""docs/faults.md promises something for each fault; a test must be there that shows it."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Shown elsewhere than in the fault lab, and where; or left out, and the table says why.
ELSEWHERE = {
    38: None,
    53: ("tests/contracts/test_health_on_the_local_cloud.py", "that_runs_something_else_than_planned_fails"),
    61: ("tests/terraform/test_accepted_differences.py", "test_nothing_hides_behind_an_accepted_difference"),
    62: ("tests/terraform/test_removed_outputs.py", "test_the_reader_fails_and_is_taken_back"),
    63: ("tests/terraform/test_removed_outputs.py", "goes_back_before_its_reader_with_atomic"),
    64: ("tests/terraform/test_plan_tells.py", "test_an_acceptance_that_has_expired_is_refused_by_plan"),
    65: ("tests/terraform/test_inputs.py", "another_machine_undoes_to_bytes_that_only_the_bucket_has"),
    66: ("tests/terraform/test_inputs.py", "what_cannot_be_proved_is_blocked_or_not_called_verified"),
    67: ("tests/terraform/test_inputs.py", "what_cannot_be_proved_is_blocked_or_not_called_verified"),
    91: ("tests/unit/state_admin/test_adopt.py", "test_a_kill_at_any_write_is_made_good_by_the_same_command"),
    92: ("tests/terraform/test_adopt.py", "test_an_app_that_cdktf_cli_deployed_is_adopted_planned_deployed"),
    82: ("tests/terraform/test_canaries.py", "test_no_canary_is_on_disk_after_everything_was_killed"),
    83: ("tests/terraform/test_executor_trust.py", "test_what_an_outsider_puts_on_the_cluster_runs_nothing"),
    84: ("tests/terraform/test_one_place.py", "test_an_endpoint_that_only_terraform_obeys_stops_a_deploy"),
    85: ("tests/unit/report/test_visible.py", "test_every_event_is_safe_in_every_view"),
    86: ("tests/terraform/test_kept_in_the_bucket.py", "test_a_trail_that_was_deleted_whole_is_missed"),
    95: ("tests/terraform/test_ownership_between_shards.py", "test_after_a_kill_in_the_middle_of_a_move"),
    96: ("tests/terraform/test_two_apps.py", "test_another_apps_shard_is_refused_by_every_command"),
    97: (
        "tests/terraform/test_ownership_siblings.py",
        "test_a_sibling_that_keeps_an_object",
    ),
    98: ("tests/unit/app/test_left_behind.py", "test_a_program_that_the_app_left_running_is_ended_and_named"),
    99: ("tests/terraform/test_warm_other_provider.py", "too_long_for_a_socket_hinders_nobody"),
    100: (
        "tests/unit/change_detection/test_checkouts.py",
        "test_what_a_killed_one_left_is_removed_and_git_forgets_it",
    ),
    101: ("tests/unit/deploy/test_cache_grows_no_more.py", "test_an_open_run_stays_however_old_it_is"),
    102: ("tests/terraform/test_inputs.py", "is_in_no_record_and_in_no_advice"),
    103: ("tests/terraform/test_user_logs.py", "test_a_log_lies_where_the_caller_says_and_nowhere_else"),
}


def promised() -> dict[int, str]:
    lines = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8").splitlines()
    rows = (re.match(r"\| (\d{2,3}) \| [^|]+ \| ([^|]+) \|$", line) for line in lines)
    return {int(row[1]): row[2] for row in rows if row}


def shown() -> set[int]:
    found: set[int] = set()
    for file in (ROOT / "tests" / "faults").glob("test_faults_*.py"):
        for numbers in re.findall(r"def test_rows?_((?:\d{2,3}_)+)", file.read_text(encoding="utf-8")):
            found.update(map(int, re.findall(r"\d+", numbers)))
    return found


def test_every_row_of_the_catalogue_has_a_test_or_a_reason() -> None:
    rows = promised()

    assert set(range(1, 61)) <= set(rows)
    assert list(rows) == sorted(rows)
    assert set(rows) - shown() == set(ELSEWHERE)
    for row, place in ELSEWHERE.items():
        if place is None:
            assert rows[row].startswith("left out: ")
        else:
            assert place[1] in (ROOT / place[0]).read_text(encoding="utf-8")
