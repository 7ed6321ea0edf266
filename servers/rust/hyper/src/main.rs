//! The endpoint on hyper and tokio, without a framework.

mod connection;
mod http2;
mod service;

use std::process::ExitCode;

use shared::tls::{HTTP_1_1, HTTP_2, Http2Flags};
use shared_tokio::LayoutFlags;

fn main() -> ExitCode {
    shared::program!("hyper", "tokio").run(|Http2Flags { flags, h2c }: &Http2Flags<LayoutFlags>| {
        let h2c = *h2c;
        shared_tokio::serve(
            flags.layout,
            &flags.process,
            &[HTTP_2, HTTP_1_1],
            move |stream, permit, server| connection::serve(stream, permit, server, h2c),
        )
    })
}
