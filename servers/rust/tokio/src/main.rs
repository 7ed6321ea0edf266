//! The endpoint on tokio, without an HTTP library.

mod connection;
mod socket;

use std::process::ExitCode;

use shared_tokio::LayoutFlags;

fn main() -> ExitCode {
    shared::program!("tokio", "httparse")
        .run(|flags: &LayoutFlags| shared_tokio::serve(flags.layout, &flags.process, connection::serve))
}
