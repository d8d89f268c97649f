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
GROUPS = "nlp/test_groups.py"
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
            "ctrl_c_while_the_workflow_is_imported_ends_at_once",
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
        )
        + of("engine/test_hub.py", "a_full_cache_is_one_line_with_the_file_and_what_it_needs")
        + of("models/test_wheels.py", "a_full_disk_is_one_line")
        + of("vision/test_published.py", "a_full_disk_is_one_line_with_the_file")
        + of("jobs/test_full_disk.py", "a_study_is_made_whole_or_not_at_all", "a_ledger_has_whole_lines"),
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
            "files_of_the_command_line_are_checked_too",
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
        + of(
            "chess/test_puzzles.py",
            "columns_that_are_called_otherwise_are_named_in_the_config",
            "columns_in_another_case_are_suggested_all_at_once",
        ),
    ),
    Fault(
        "A model cannot read two completions behind one prefix, if only from some length on",
        "both ways agree at the longest length used, or the pair is read as two texts",
        of(
            "reward/test_batching.py",
            "open_models_read_branched_rows_as_two_texts_or_are_not_asked_to",
            "a_window_is_found_at_the_length_at_which_it_matters",
            "a_model_that_ignores_the_mask_is_found_out",
        ),
    ),
    Fault(
        "A model's config says what the fast decoder does not know; a checkpoint lacks its head",
        "transformers computes it, with the same logits; weights that are missing or left out are named",
        of(
            "models/test_decoder.py",
            "what_it_cannot_compute_is_left_to_transformers",
            "whatever_the_config_says_logits_are_those_of_transformers",
            "the_unembedding_is_the_embedding_only_where_the_config_says_so",
            "weights_that_the_config_leaves_out_are_refused",
            "a_missing_weight_is_named",
        ),
    ),
    Fault(
        "A raw file or model is edited, its size and its time kept",
        "it has another key",
        of(
            "engine/test_hashes.py",
            "a_quarter_of_a_large_file_changed_is_another_file",
            "a_change_that_keeps_size_and_time_is_noticed",
            "a_folder_is_its_names_and_contents",
        ),
    ),
    Fault(
        "A raw file, image or model is edited between the plan and its job",
        "the job is refused, in every setting",
        of(
            "engine/test_sources.py",
            "a_file_that_changed_after_the_job_was_planned_is_one_line",
            "a_folder_of_images_that_changed_is_one_line",
        )
        + of("vision/test_stages.py", "features_of_a_published_network_are_its_own_of_the_cut_images"),
    ),
    Fault(
        "A tokenizer splits an answer otherwise alone than behind its text",
        "its tokens are those behind the text, in heads, prompts, rewards and chess",
        of(
            "models/test_context.py",
            "an_answer_has_the_tokens_that_it_has_behind_its_prompt",
            "heads_start_as_the_row_of_an_answers_own_token",
            "a_prompt_has_the_tokens_of_its_text",
            "chess_learns_moves_behind_their_prompts",
            "completions_are_read_and_learned_behind_their_prefixes",
        ),
    ),
    Fault(
        "One group of examples is large",
        "halves are as equal as it allows for every seed, or are refused with the cause",
        of(
            "engine/test_splits.py",
            "halves_are_as_near_as_large_groups_allow_for_every_seed",
            "halves_that_cannot_be_say_why",
            "a_count_that_groups_miss_by_far_says_why",
        )
        + of(
            GROUPS,
            "a_group_that_holds_most_of_the_examples_is_named",
            "examples_of_one_class_are_refused_as_such",
            "too_few_rows_are_refused_as_such",
        ),
    ),
    Fault(
        "The same text occurs in several groups, in another case, with other punctuation or accents, or as a variant",
        "its examples are in one part; strangers are not tied to them",
        of(
            GROUPS,
            "the_same_text_in_several_groups_is_one_example_or_none",
            "groups_that_share_a_text_are_one_and_stay_out_of_training_if_one_is_tested",
            "texts_that_differ_in_case_or_punctuation_are_one_group",
            "accents_and_unicodes_punctuation_do_not_tell_groups_apart",
            "marks_of_other_scripts_are_letters",
            "justice_variants_share_the_claim_or_the_reason",
        )
        + of("nlp/test_build.py", "only_groups_that_are_tested_leave_the_training_set"),
    ),
    Fault(
        "A checkout's path has spaces, or is a command",
        "everything works there, and nothing of the path is executed; braces and colons are refused",
        of(
            "workflow/test_dag.py",
            "a_checkout_may_have_any_name",
            "a_folder_with_braces_or_a_colon_is_refused_in_one_line",
        )
        + of("jobs/test_targets.py", "commands_find_the_checkouts_library_and_settings_that_the_caller_may_change"),
    ),
    Fault(
        "A user's text looks like mathematics",
        "figures and tables show it as it stands",
        of("figures/test_prompting_figures.py", "dollars_and_backslashes_of_a_users_text_are_no_markup"),
    ),
    Fault(
        "Examples are lost to the test set, not to balancing",
        "Table 1 says how many, and gives the class shares before and after",
        of("figures/test_figures.py", "table_1_counts_every_task_at_every_step"),
    ),
    Fault(
        "Many rows are legitimate, but of no use to a task",
        "they are counted apart, and do not count as malformed",
        of("reward/test_build.py", "draws_are_left_out_and_never_too_many"),
    ),
    Fault(
        "A task is the user's own",
        "tables, figures, the report and `w2s examples` show it; what is wrong with its formatter names the row",
        of(
            "workflow/test_own.py",
            "the_worked_example_draws_its_figure",
            "the_report_of_the_worked_example_has_its_task_in_every_table",
            "examples_of_the_worked_example_have_its_title",
        )
        + of("figures/test_figures.py", "a_task_of_the_users_own_is_in_tables_and_figures")
        + of("figures/test_text.py", "a_task_without_a_licence_has_an_empty_cell")
        + of("nlp/test_user_tasks.py", "what_is_wrong_with_what_it_returns_names_the_row"),
    ),
    Fault(
        "PGN is written as people write it",
        "moves, results, comments and glyphs are understood; zstandard files with long windows are read",
        of(
            GAMES,
            "moves_are_understood_as_people_write_them",
            "a_capture_en_passant_may_say_so",
            "comments_variations_and_annotations_are_left_out",
            "a_file_compressed_with_a_long_window_is_read",
            "pieces_castling_and_checks_may_be_written_otherwise",
            "headers_may_share_a_line_and_have_spaces",
            "a_byte_order_mark_in_joined_files_costs_no_game",
            "games_without_headers_end_at_their_results_or_before_a_first_move",
        ),
    ),
    Fault(
        "A data set or model is an original release, or a Git LFS pointer",
        "what is unambiguous is read, else one line names the files, the row or the pointer",
        of(
            "engine/test_rows.py",
            "commas_of_a_text_without_quotation_marks_belong_to_it_where_all_else_is_numbers",
            "empty_lines_of_a_csv_file_are_no_rows",
            "files_of_another_kind_are_named",
            "a_file_that_is_not_as_it_should_be_is_one_line",
            "cells_between_tabs_are_taken_as_they_are",
            "a_wrong_label_names_task_row_and_file",
        )
        + of("models/test_encoding.py", "the_end_token_may_be_in_special_tokens_map_alone")
        + of("models/test_base.py", "a_git_lfs_pointer_is_called_so_by_the_plan"),
    ),
    Fault(
        "A config says another thing to YAML than to a person: `yes`, `3e11`, a key twice",
        "one line names the key, the value and what is allowed",
        of(
            "experiments/test_experiment.py",
            "a_mistake_is_one_line_with_key_value_and_what_is_allowed",
            "numbers_may_be_written_as_people_write_them",
        )
        + of("config/test_files.py", "a_file_that_does_not_say_one_thing_is_one_line"),
    ),
    Fault(
        "A label, choice or score is a float, text or a truth value",
        "it is read as the number that it is; one that is missing, or none, is named",
        of(
            "reward/test_pairs.py",
            "choices_may_be_numbers_truth_values_or_text",
            "scores_are_compared_as_numbers_and_a_missing_one_is_malformed",
        )
        + of(
            "vision/test_images.py",
            "labels_may_be_whole_numbers_of_any_kind",
            "a_label_that_is_no_class_is_one_line",
        ),
    ),
    Fault(
        "A model computes all texts of a batch by its longest (rotary positions of Phi-3)",
        "texts are cut to the length up to which it does not",
        of("models/test_families.py", "a_text_reads_the_same_alone_and_beside_a_long_one"),
    ),
    Fault(
        "A tokenizer is larger than its model's embedding, or a model cannot do what is asked",
        "it is refused with both sizes, or with what is not supported",
        of("models/test_encoding.py", "a_tokenizer_with_more_tokens_than_its_model_is_refused_with_both_sizes")
        + of(
            "models/test_families.py",
            "a_model_without_a_kv_cache_does_not_generate",
            "a_model_that_takes_no_adapters_says_so",
            "a_model_that_cannot_recompute_says_so",
            "a_cap_on_logits_is_noticed_though_those_of_a_small_model_are_small",
        ),
    ),
    Fault(
        "A file cannot be read, or a manifest is missing",
        "one line names the file, or the parent's role",
        of(
            ARTIFACTS,
            "a_file_that_fails_while_it_is_read_is_named",
            "a_parent_without_a_manifest_is_named_with_its_role",
        ),
    ),
    Fault(
        "Another user of the machine plants links, folders and sockets",
        "they are neither followed nor changed nor obeyed (two user ids where tests run as root)",
        of(
            "engine/test_private.py",
            "a_neighbours_link_folder_or_file_costs_the_victim_nothing",
            "a_neighbour_cannot_have_a_job_done_by_the_victims_process",
            "the_victim_gives_no_job_to_a_neighbours_process",
            "a_link_to_a_runtime_directory_is_not_used",
            "a_directory_of_another_user_is_refused",
            "a_directory_that_is_exchanged_while_it_is_opened_is_refused",
        ),
    ),
    Fault(
        "The address of the hub, a tracker or a proxy, or a token, is a secret",
        "no message, log or record shows it",
        of(
            "engine/test_endpoint.py",
            "no_address_of_a_tracker_or_proxy_shows_its_password",
            "whatever_a_mirror_answers_its_password_is_not_shown",
            "an_endpoint_that_is_wrong_or_away_does_not_show_its_password",
            "a_token_that_cannot_be_sent_is_not_shown",
        ),
    ),
    Fault(
        "The home is missing or read-only",
        "caches are in `work/`, and one line says what to set",
        of(
            "engine/test_caches.py",
            "a_home_that_cannot_be_is_replaced_and_one_line_says_what_to_set",
            "a_read_only_home_keeps_the_models_that_it_has",
            "where_nothing_can_be_written_one_line_says_what_to_set",
            "a_workflow_without_a_home_is_planned",
        ),
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
