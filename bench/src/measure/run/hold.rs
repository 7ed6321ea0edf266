//! Connections that are opened, used once and held: what one costs the server in memory.

use anyhow::Context;

use super::visitor::Visitor;
use super::{Run, failed, memory};
use crate::machine::host;
use crate::servers::launch;
use crate::store::record::{ConnectionsRecord, ErrorKind, ErrorRecord, Record};

impl Run<'_> {
    pub(super) fn hold(&self, connections: u32, record: &mut Record) -> Result<(), ErrorRecord> {
        let mut running = launch::start(self.host, self.server, &self.cores.server, &[])
            .map_err(failed(ErrorKind::Start))?;
        let at_rest = running.memory();
        let come = |number: u32| {
            self.host.check_interrupted()?;
            let visitor = Visitor::come(running.address, self.workload);
            visitor.with_context(|| format!("connection {} of {connections}", number + 1))
        };
        let visitors: anyhow::Result<Vec<Visitor>> = (0..connections).map(come).collect();
        running.check_running().map_err(failed(ErrorKind::Died))?;
        let visitors = visitors.map_err(failed(ErrorKind::Connections))?;

        record.memory = Some(memory(at_rest, running.memory()));
        let seen = host::established(running.address);
        record.connections = Some(ConnectionsRecord { asked: connections, seen });
        drop(visitors);
        running.kill().map_err(failed(ErrorKind::Died))?;
        Ok(())
    }
}
