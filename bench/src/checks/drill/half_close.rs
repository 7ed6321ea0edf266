//! Clients that shut their sending side once they have asked.

use anyhow::Context;

use super::client::{Client, get};
use super::scene::check_recovered;
use super::{Drill, Scene};
use crate::text::numbers;
use crate::text::numbers::as_f64;

pub(super) const DRILL: Drill = Drill {
    name: "drill/half-close",
    about: "clients that ask, once or pipelined, and shut their sending side: all answers come, then the end",
    run,
};

/// Requests before the sending side is shut.
const REQUESTS: [usize; 4] = [0, 1, 2, 100];

fn run(scene: &Scene) -> anyhow::Result<String> {
    let times = scene.pick(5, 50);
    let mut answered = 0;
    let mut running = scene.start(&[])?;
    let before = running.descriptors()?;
    for _ in 0..times {
        scene.check_interrupted()?;
        for requests in REQUESTS {
            let mut client = Client::connect(running.address)?;
            let which = || format!("requests before the end: {requests}");
            let paths: Vec<String> = (0..requests).map(|number| format!("/last/{number}")).collect();
            let sent: String = paths.iter().map(|path| get(path)).collect();
            client.send(sent.as_bytes()).with_context(which)?;
            client.shut()?;
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
