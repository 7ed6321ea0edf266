//! A start: from exec to the first answer.

use std::time::Instant;

use super::{Run, failed, memory};
use crate::servers::client::Client;
use crate::store::record::{ErrorKind, ErrorRecord, Record, StartRecord};

impl Run<'_> {
    pub(super) fn start(&self, record: &mut Record) -> Result<(), ErrorRecord> {
        let began = Instant::now();
        let mut running = self.start_server().map_err(failed(ErrorKind::Start))?;
        let ready = began.elapsed();
        let client = Client::connect_and_ask(running.address, &self.workload.path, &self.workload.answer);
        let answered = began.elapsed();
        running.process.check_running().map_err(failed(ErrorKind::Died))?;
        client.map_err(failed(ErrorKind::WrongAnswer))?;
        record.memory = Some(memory(None, running.process.memory()));
        running.process.kill().map_err(failed(ErrorKind::Died))?;
        record.start = Some(StartRecord {
            ready_seconds: ready.as_secs_f64(),
            first_answer_seconds: answered.as_secs_f64(),
        });
        Ok(())
    }
}
