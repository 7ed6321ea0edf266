//! The endpoint on tokio, without an HTTP library.

mod connection;

use std::process::ExitCode;

use shared::tls::HTTP_1_1;
use shared_tokio::LayoutFlags;

fn main() -> ExitCode {
    shared::program!("tokio", "httparse").run(|flags: &LayoutFlags| {
        shared_tokio::serve(flags.layout, &flags.process, &[HTTP_1_1], connection::serve)
    })
}
