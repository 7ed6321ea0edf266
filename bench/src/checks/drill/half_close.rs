//! Clients that shut down their sending side after their requests.

use anyhow::Context;

use super::context::{DrillContext, check_recovered};
use super::definition::Drill;
use crate::store::record::Protocol;
use crate::text::numbers::{self, as_f64};

/// Only over HTTP/1.1 without TLS. Within TLS, `close_notify` ends the client's side, and many
/// servers answer nothing after it. Over HTTP/2, a client does not end its side before the answers.
pub(super) const DRILL: Drill = Drill {
    name: "half-close",
    about: "clients that shut down their sending side after one or several requests: all answers arrive, then the end",
    protocols: &[Protocol::Http1],
    run,
};

const REQUESTS: [usize; 4] = [0, 1, 2, 100];

fn run(context: &DrillContext) -> anyhow::Result<String> {
    let times = context.pick(5, 50);
    let mut answered = 0;
    let mut running = context.start(&[])?;
    let before = running.process.descriptors()?;
    for _ in 0..times {
        context.check_interrupted()?;
        for requests in REQUESTS {
            let mut client = running.endpoint.connect()?;
            let which = || format!("requests before the end: {requests}");
            let paths: Vec<String> = (0..requests).map(|number| format!("/last/{number}")).collect();
            client.ask_all(paths.iter().map(String::as_str)).with_context(which)?;
            client.half_close()?;
            for path in &paths {
                client.expect(path).with_context(which)?;
                answered += 1;
            }
            client.expect_end().with_context(which)?;
        }
    }
    check_recovered(&mut running, before)?;
    Ok(format!("{} answered", numbers::whole(as_f64(answered))))
}
