//! The endpoint on hyper and tokio, without a framework.

mod connection;
mod service;

use std::process::ExitCode;

use shared_tokio::LayoutFlags;

fn main() -> ExitCode {
    shared::program!("hyper", "tokio")
        .run(|flags: &LayoutFlags| shared_tokio::serve(flags.layout, &flags.process, connection::serve))
}
