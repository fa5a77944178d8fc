"""Every case's code by its name; `factory.sdk.accept.cases` says what each one proves."""

from collections.abc import Callable, Mapping

from factory.sdk.accept.driver import closing, constructing, conversing, failing, mirroring
from factory.sdk.accept.driver.trial import Trial

_FUNCTIONS: tuple[Callable[[Trial], None], ...] = (
    constructing.constructor_initialises,
    constructing.runtime_not_installed,
    constructing.override_points_nowhere,
    constructing.app_server_incompatible,
    constructing.app_server_too_old,
    constructing.app_server_crashes,
    constructing.app_server_prints_garbage,
    conversing.thread_keeps_conversation,
    conversing.threads_are_apart,
    conversing.start_and_resume,
    conversing.run_waits_for_completion,
    conversing.stream_in_order,
    conversing.tool_calls,
    mirroring.async_is_lazy,
    mirroring.async_mirrors_sync,
    mirroring.keywords_are_snake_case,
    failing.overload_is_retried,
    failing.retries_end,
    failing.other_errors_are_not_retried,
    failing.model_overload_is_retried,
    failing.model_refusal_is_not_retried,
    failing.errors_have_types,
    failing.invalid_parameters,
    failing.unknown_method,
    closing.closing_twice,
    closing.no_process_is_left,
)
BEHAVIOURS: Mapping[str, Callable[[Trial], None]] = {
    function.__name__.replace("_", "-"): function for function in _FUNCTIONS
}
