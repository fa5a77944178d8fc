"""The function of every case, by the case's name; see `factory.sdk.accept.cases` for what each one proves."""

from collections.abc import Callable, Mapping

from factory.sdk.accept.driver import (
    async_cases,
    close_cases,
    constructor_cases,
    error_cases,
    live_cases,
    message_cases,
    turn_cases,
)
from factory.sdk.accept.driver.case_context import CaseContext

_FUNCTIONS: tuple[Callable[[CaseContext], str | None], ...] = (
    constructor_cases.constructor_initialises,
    constructor_cases.runtime_not_installed,
    constructor_cases.override_points_nowhere,
    constructor_cases.app_server_incompatible,
    constructor_cases.app_server_too_old,
    constructor_cases.app_server_crashes,
    constructor_cases.app_server_prints_garbage,
    turn_cases.thread_keeps_conversation,
    turn_cases.threads_are_apart,
    turn_cases.start_and_resume,
    turn_cases.run_waits_for_completion,
    turn_cases.stream_in_order,
    turn_cases.tool_calls,
    turn_cases.code_mode,
    async_cases.async_is_lazy,
    async_cases.async_mirrors_sync,
    async_cases.keywords_are_snake_case,
    error_cases.overload_is_retried,
    error_cases.retries_end,
    error_cases.other_errors_are_not_retried,
    error_cases.model_overload_is_retried,
    error_cases.model_refusal_is_not_retried,
    error_cases.errors_have_types,
    error_cases.invalid_parameters,
    error_cases.unknown_method,
    live_cases.interrupt_ends_the_turn,
    live_cases.steer_reaches_the_model,
    live_cases.turns_run_at_once,
    live_cases.many_notifications,
    live_cases.cut_streams_are_retried,
    live_cases.all_items_and_the_final_text,
    live_cases.approval_is_accepted,
    live_cases.approval_is_declined,
    live_cases.approval_has_a_safe_default,
    live_cases.images_reach_the_model,
    live_cases.viewed_images_reach_both_sides,
    message_cases.every_message_is_parsed,
    live_cases.cancelled_waiting_leaves_the_client_usable,
    live_cases.runtime_is_killed,
    close_cases.closing_twice,
    close_cases.no_process_is_left,
)
CASE_FUNCTIONS: Mapping[str, Callable[[CaseContext], str | None]] = {
    function.__name__.replace("_", "-"): function for function in _FUNCTIONS
}
