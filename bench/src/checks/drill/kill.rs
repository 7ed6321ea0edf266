//! A server that is killed where it stands, and started again.

use std::time::Instant;

use super::client::{Client, check_answers};
use super::{Drill, Scene};

pub(super) const DRILL: Drill = Drill {
    name: "drill/kill",
    about: "kill -9 with connections open: started again at once on the same port, the server answers",
    run,
};

fn run(scene: &Scene) -> anyhow::Result<String> {
    let mut slowest = 0;
    for _ in 0..scene.pick(1, 5) {
        scene.check_interrupted()?;
        let running = scene.start(&[])?;
        let address = running.address;
        let mut clients = (0..4).map(|_| Client::connect(address)).collect::<anyhow::Result<Vec<_>>>()?;
        // In the states that a port remembers longest: in use, half written, and closed by the server.
        clients[0].ask("/before")?;
        clients[0].expect("/before")?;
        clients[1].send(b"GET /half HTTP/1.1\r\nHo")?;
        clients[2].ask("/unread")?;
        running.kill()?;

        let killed = Instant::now();
        let again = scene.start_cold(address.port(), &[])?;
        check_answers(again.address)?;
        slowest = slowest.max(killed.elapsed().as_millis());
        drop(clients);
    }
    Ok(format!("up in {slowest} ms"))
}
