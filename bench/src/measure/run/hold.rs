//! Connections that are opened, used once and held: the server's memory per connection, and its CPU
//! time while all of them are silent.

use std::time::Duration;

use anyhow::{Context, anyhow};

use super::counters::Counters;
use super::loaded_server::LoadedServer;
use super::{Run, failed, memory};
use crate::machine::host::{Memory, Usage};
use crate::servers::client::Client;
use crate::servers::launch::Running;
use crate::servers::workload::Workload;
use crate::store::record::{ConnectionsRecord, ErrorKind, ErrorRecord, Record};

/// A server with open connections.
struct Held {
    running: Running,
    clients: Vec<Client>,
    at_rest: Option<Memory>,
}

impl Run<'_> {
    pub(super) fn hold(&self, connections: u32, record: &mut Record) -> Result<(), ErrorRecord> {
        let held = self.connected(connections)?;
        record.memory = Some(memory(held.at_rest, held.running.process.memory()));
        record.connections = Some(self.seen(connections, &held));
        drop(held.clients);
        held.running.process.kill().map_err(failed(ErrorKind::Died))?;
        Ok(())
    }

    /// Keeps connections open and silent for a time, and counts what the server uses meanwhile.
    pub(super) fn idle(
        &self,
        connections: u32,
        time: Duration,
        record: &mut Record,
    ) -> Result<(), ErrorRecord> {
        let Held { running, clients, at_rest } = self.connected(connections)?;
        let server = LoadedServer::Started(running);
        let parts = [(self.sides.server(), self.cores.server.clone())];
        let before = Counters::before(&server, self.cores.server.len(), &parts);
        let before = before.map_err(failed(ErrorKind::Died))?;
        self.sides.harness().pause(time);
        let spent = before.spent(&server, &parts).map_err(failed(ErrorKind::Died))?;
        let seen = self.sides.server().established(server.address());
        if seen.is_some_and(|seen| seen < u64::from(connections)) {
            let closed = anyhow!("the server closed some of {connections} connections that were silent");
            return Err(failed(ErrorKind::Connections)(closed));
        }
        // The harness sends nothing, so no CPU time of a tool is recorded.
        record.cpu = Some(spent.record(&Usage::default(), self.cores.server.len()));
        record.memory = server.memory(at_rest);
        record.connections = Some(ConnectionsRecord { asked: connections, seen, accepted: None });
        drop(clients);
        server.end().map_err(failed(ErrorKind::Died))
    }

    /// Starts the server and opens connections, and sends one request over each.
    fn connected(&self, connections: u32) -> Result<Held, ErrorRecord> {
        let mut running = self.start_server().map_err(failed(ErrorKind::Start))?;
        let at_rest = running.process.memory();
        let connect = |number: u32| {
            self.sides.harness().check_interrupted()?;
            let Workload { path, answer, .. } = self.workload;
            let client = Client::connect_and_ask(running.address, path, answer);
            client.with_context(|| format!("connection {} of {connections}", number + 1))
        };
        let clients: anyhow::Result<Vec<Client>> = (0..connections).map(connect).collect();
        running.process.check_running().map_err(failed(ErrorKind::Died))?;
        Ok(Held { clients: clients.map_err(failed(ErrorKind::Connections))?, running, at_rest })
    }

    fn seen(&self, asked: u32, held: &Held) -> ConnectionsRecord {
        let seen = self.sides.server().established(held.running.address);
        ConnectionsRecord { asked, seen, accepted: None }
    }
}
