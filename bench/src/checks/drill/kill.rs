//! A server that is killed and started again.

use std::time::Instant;

use super::context::{DrillContext, connect};
use super::definition::{Drill, OVER_ALL};

pub(super) const DRILL: Drill = Drill {
    name: "kill",
    about: "kill -9 with open connections: started again at once on the same port, the server answers",
    protocols: OVER_ALL,
    run,
};

fn run(context: &DrillContext) -> anyhow::Result<String> {
    let mut slowest = 0;
    for _ in 0..context.pick(1, 5) {
        context.check_interrupted()?;
        let running = context.start(&[])?;
        let port = running.endpoint.address.port();
        let mut clients = connect(&running, 4)?;
        // These states keep a port in use longest: idle, within a head, and with an unread answer.
        clients[0].ask("/before")?;
        clients[0].expect("/before")?;
        clients[1].start_head()?;
        clients[2].ask("/unread")?;
        running.process.kill()?;

        let killed = Instant::now();
        let again = context.start_cold(port, &[])?;
        again.endpoint.check_answers()?;
        slowest = slowest.max(killed.elapsed().as_millis());
        drop(clients);
    }
    Ok(format!("up in {slowest} ms"))
}
