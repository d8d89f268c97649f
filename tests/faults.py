"""What can go wrong, what is promised then, and the tests that hold it. docs/reliability.md is written from this table.

``python -m tests.faults`` writes the table into the page.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reliability.md"
BEGIN, END = "<!-- faults -->\n", "<!-- end of faults -->\n"


class Fault(NamedTuple):
    """A row. tests: ``path::function``, under tests/."""

    fault: str
    promise: str
    tests: tuple[str, ...]


def of(path: str, *functions: str) -> tuple[str, ...]:
    """Tests of one file."""
    return tuple(f"{path}::test_{function}" for function in functions)


ARTIFACTS, SAFETY = "engine/test_artifacts.py", "workflow/test_safety.py"
CHECKPOINTS, GAMES = "engine/test_checkpoints.py", "chess/test_games.py"
FAULTS = (
    Fault(
        "A job is killed at any moment",
        "nothing half-written is taken for a result; the same command resumes and ends with the same bytes",
        of(
            SAFETY,
            "killed_at_any_point_and_run_again_gives_the_same_bytes",
            "killed_right_after_publication_it_is_not_made_again",
            "killed_at_random_moments_until_it_is_done",
            "killed_while_pretraining_and_run_again_gives_the_same_bytes",
        )
        + of(ARTIFACTS, "a_killed_process_leaves_no_artifact_and_no_lock", "a_failure_leaves_nothing"),
    ),
    Fault(
        "Ctrl-C",
        "the workflow stops within seconds, with one line that says how to go on",
        of(
            "workflow/test_interrupt.py",
            "the_first_ctrl_c_while_jobs_run_ends_the_workflow_with_one_line",
            "ctrl_c_before_any_job_runs_ends_at_once",
            "a_command_that_is_stopped_says_so_in_one_line",
        ),
    ),
    Fault(
        "A result is edited, truncated or lost on the disk",
        "it is named, and never read",
        of(
            ARTIFACTS,
            "a_harmed_artifact_is_noticed_and_named",
            "a_harmed_artifact_is_made_anew",
            "an_unreadable_table_is_named",
        ),
    ),
    Fault(
        "A checkpoint is damaged, if by one bit",
        "it is noticed and not resumed from; the run starts from its beginning",
        of(CHECKPOINTS, "every_changed_byte_is_noticed", "a_harmed_checkpoint_starts_from_the_beginning")
        + of(SAFETY, "a_harmed_checkpoint_starts_from_the_beginning"),
    ),
    Fault(
        "Two processes make the same artifact",
        "the second waits, and takes the result of the first or, if that is killed, its place",
        of(ARTIFACTS, "two_processes_never_make_the_same_artifact_at_once")
        + of(
            SAFETY,
            "a_run_that_goes_on_after_its_workflow_was_killed_is_waited_for",
            "whoever_waits_takes_over_when_the_other_is_killed",
        ),
    ),
    Fault(
        "`flock` tells only of processes on the same machine",
        "a living lock of another machine is waited for and never removed; a dead one is taken over after two minutes",
        of(
            ARTIFACTS,
            "a_living_lock_of_another_machine_is_waited_for_and_never_removed",
            "a_lock_of_another_machine_without_a_sign_of_life_is_taken_over",
            "a_lock_that_was_taken_over_is_not_removed_by_its_first_holder",
        ),
    ),
    Fault(
        "Checkouts share `results/`, but not `work/`",
        "both jobs end well; the first result stays",
        of(ARTIFACTS, "two_checkouts_that_share_results_alone_both_end_well"),
    ),
    Fault(
        "A disk is full",
        "one line names the file, what it needs and what is free; what was trained is kept",
        of(
            "engine/test_space.py",
            "a_full_disk_is_one_line_with_the_file_and_what_it_needs",
            "a_tokenizer_on_a_full_disk_is_one_line",
            "a_text_file_on_a_full_disk_is_one_line_and_leaves_the_old_one",
            "what_a_library_cannot_write_in_a_stage_is_one_line_with_its_file",
            "a_stream_of_tokens_on_a_full_disk_is_one_line_with_its_file",
            "a_command_outside_of_stages_is_one_line_too",
        )
        + of(
            SAFETY,
            "a_disk_too_full_for_checkpoints_does_not_stop_a_run",
            "a_full_disk_is_one_line_and_costs_nothing",
        ),
    ),
    Fault(
        "A disk is read-only",
        "one line names the folder",
        of(SAFETY, "a_read_only_results_folder_is_one_line"),
    ),
    Fault(
        "Training diverges",
        "the run fails with its step and loss, and is no result",
        of(SAFETY, "a_run_that_diverges_fails_with_step_and_loss_and_is_no_result"),
    ),
    Fault(
        "Weights come as a pickle with code in it",
        "it is refused when the model is opened, and the code is not run",
        of(
            "models/test_pickles.py",
            "weights_alone_are_opened_and_code_is_refused_without_being_run",
            "what_is_no_file_of_weights_is_one_line",
        ),
    ),
    Fault(
        "`config.yaml` asks Snakemake to run code",
        "it is refused before it is read, on a dry run too",
        of(
            "workflow/test_config_code.py",
            "a_config_with_code_is_one_line_and_runs_nothing_even_on_a_dry_run",
            "commands_refuse_it_too",
        ),
    ),
    Fault(
        "A file of games or puzzles is truncated, corrupt or of another kind",
        "one line names it; single bad games are skipped and counted",
        of(
            GAMES,
            "a_truncated_compressed_file_is_one_line",
            "a_corrupt_compressed_file_is_one_line",
            "a_corrupt_file_is_one_line_with_the_first_bad_game",
            "a_corrupt_game_is_skipped_and_counted_and_the_next_one_is_read",
        )
        + of("chess/test_puzzles.py", "columns_that_are_called_otherwise_are_named_in_the_config"),
    ),
    Fault(
        "An action or a container image is replaced by another",
        "actions are pinned by commit, workflows may only read, the container is not root",
        of(
            "project/test_supply.py",
            "actions_are_pinned_by_commit_and_name_their_version",
            "workflows_may_only_read",
            "every_target_of_the_container_ends_as_an_ordinary_user",
        ),
    ),
)


def table() -> str:
    """The table of the page."""
    rows = ["| fault | promise | tests |", "|---|---|---|"]
    for fault in FAULTS:
        files = dict.fromkeys(test.partition("::")[0] for test in fault.tests)
        where = ", ".join(f"`{file}`" for file in files)
        rows.append(f"| {fault.fault} | {fault.promise} | {len(fault.tests)} in {where} |")
    total = sum(len(fault.tests) for fault in FAULTS)
    return "\n".join(rows) + f"\n\n{len(FAULTS)} faults, {total} tests.\n"


def filled(page: str) -> str:
    """A page with the table as it should be."""
    start, end = page.index(BEGIN) + len(BEGIN), page.index(END)
    return f"{page[:start]}\n{table()}\n{page[end:]}"


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
