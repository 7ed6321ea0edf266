//! Connections that are opened, used once and held: what one costs the server in memory.

use anyhow::Context;

use super::{Run, failed, memory};
use crate::servers::client::Client;
use crate::servers::workload::Workload;
use crate::store::record::{ConnectionsRecord, ErrorKind, ErrorRecord, Record};

impl Run<'_> {
    pub(super) fn hold(&self, connections: u32, record: &mut Record) -> Result<(), ErrorRecord> {
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
        let clients = clients.map_err(failed(ErrorKind::Connections))?;

        record.memory = Some(memory(at_rest, running.process.memory()));
        let seen = self.sides.server().established(running.address);
        record.connections = Some(ConnectionsRecord { asked: connections, seen, accepted: None });
        drop(clients);
        running.process.kill().map_err(failed(ErrorKind::Died))?;
        Ok(())
    }
}
