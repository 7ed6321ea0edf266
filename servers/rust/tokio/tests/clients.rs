//! Two workers serve many connections: nobody can hold it up, and nothing is lost when it ends.

use shared::testing::Program;
use shared::testing::scenes as scene;

const SERVER: Program = Program { path: env!("CARGO_BIN_EXE_server-tokio"), workers: 2 };

#[test]
fn two_workers_serve_a_hundred_connections() {
    // The workers, and those that wait for them, for signals and for deadlines.
    scene::many_connections_are_served(&SERVER, SERVER.workers + 3);
}

shared::scenes! {
    &SERVER =>
    silent_and_half_written_connections_hold_nobody_up,
    dripping_connections_hold_nobody_up,
    clients_that_never_read_hold_nobody_up,
    a_client_that_waits_to_continue_is_told_to,
    a_silent_connection_goes_on,
    connections_over_the_cap_wait_for_a_place,
    time_runs_out_for_half_a_head_and_for_silence,
    time_runs_out_for_a_client_that_never_reads,
    a_drain_answers_what_was_asked,
    a_drain_is_over_when_all_connections_are,
    a_drain_under_load_loses_nothing,
}
