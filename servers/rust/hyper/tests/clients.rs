//! hyper behind the rules: nobody can hold it up, and nothing is lost when it ends.

use shared::testing::Program;
use shared::testing::scenes as scene;

const SERVER: Program = Program { path: env!("CARGO_BIN_EXE_server-hyper"), workers: 2 };

#[test]
fn silent_and_half_written_connections_hold_nobody_up() {
    scene::silent_and_half_written_connections_hold_nobody_up(&SERVER);
}

#[test]
fn clients_that_never_read_hold_nobody_up() {
    scene::clients_that_never_read_hold_nobody_up(&SERVER);
}

#[test]
fn a_client_that_waits_to_continue_is_told_to() {
    scene::a_client_that_waits_to_continue_is_told_to(&SERVER);
}

#[test]
fn a_silent_connection_goes_on() {
    scene::a_silent_connection_goes_on(&SERVER);
}

#[test]
fn connections_over_the_cap_wait_for_a_place() {
    scene::connections_over_the_cap_wait_for_a_place(&SERVER);
}

#[test]
fn time_runs_out() {
    scene::time_runs_out_for_half_a_head_and_for_silence(&SERVER);
    scene::time_runs_out_for_a_client_that_never_reads(&SERVER);
}

#[test]
fn a_drain_answers_what_was_asked() {
    scene::a_drain_answers_what_was_asked(&SERVER);
}

#[test]
fn a_drain_is_over_when_all_connections_are() {
    scene::a_drain_is_over_when_all_connections_are(&SERVER);
}

#[test]
fn a_drain_under_load_loses_nothing() {
    scene::a_drain_under_load_loses_nothing(&SERVER);
}
