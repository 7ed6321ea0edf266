//! Figures that are calculated from the record of a run.

use super::{ConnectionsRecord, Record, TaskRecord};
use crate::text::numbers::as_f64;

/// Each figure is `None` where the run does not have it.
impl Record {
    /// Whether it has figures of any kind.
    pub fn is_measured(&self) -> bool {
        self.error.is_none()
    }

    /// Whether it is a run of this server under this workload by this tool, by their names.
    pub fn is_of(&self, workload: &str, tool: &str, server: &str) -> bool {
        self.workload.name == workload && self.tool.name == tool && self.server.name == server
    }

    /// 2xx answers per second.
    pub fn per_second(&self) -> Option<f64> {
        let load = self.load.as_ref()?;
        Some(as_f64(load.answered) / load.elapsed_seconds)
    }

    /// The server's CPU time per 2xx answer, in seconds.
    pub fn cpu_per_request(&self) -> Option<f64> {
        let answered = self.load.as_ref()?.answered;
        (answered > 0).then_some(self.cpu.as_ref()?.server?.seconds / as_f64(answered))
    }

    /// The number of requests without an expected answer, plus the number of failed connections.
    pub fn error_count(&self) -> u64 {
        self.load.as_ref().map_or(0, |load| load.errors.values().sum())
    }

    /// A percentile of the latency, in seconds.
    pub fn percentile(&self, percent: u8) -> Option<f64> {
        self.latency.as_ref()?.percentiles.get(&percent).copied()
    }

    /// The server's memory per held connection, in bytes; `None` unless all of them stayed open.
    pub fn memory_per_connection(&self) -> Option<f64> {
        let memory = self.memory.filter(|_| self.workload.task == TaskRecord::Hold)?;
        let ConnectionsRecord { asked, seen, .. } = self.connections?;
        if seen? < u64::from(asked) {
            return None;
        }
        let grown = memory.after_bytes?.saturating_sub(memory.at_rest_bytes?);
        Some(as_f64(grown) / f64::from(self.workload.connections))
    }

    /// The server's CPU time per second while no request is sent to it, as a share of a core.
    pub fn idle_cpu(&self) -> Option<f64> {
        let cpu = self.cpu.as_ref().filter(|_| self.workload.task == TaskRecord::Idle)?;
        Some(cpu.server?.seconds / cpu.wall_seconds)
    }

    /// The number of context switches of the server per request; with idle connections, per second.
    pub fn switches(&self) -> Option<f64> {
        let cpu = self.cpu.as_ref()?;
        let server = cpu.server?;
        let switches = as_f64(server.voluntary_switches? + server.involuntary_switches?);
        let divisor = match self.workload.task {
            TaskRecord::Idle => cpu.wall_seconds,
            _ => as_f64(self.load.as_ref()?.answered),
        };
        (divisor > 0.0).then(|| switches / divisor)
    }

    /// The number of requests after which a connection is closed: 1 in mode `close`, N in
    /// `close-after-N`; `None` where connections are kept.
    pub fn requests_per_connection(&self) -> Option<f64> {
        match self.workload.mode.as_deref()? {
            "close" => Some(1.0),
            mode => mode.strip_prefix("close-after-")?.parse().ok(),
        }
    }

    /// The number of cores that the tool could use, on all hosts of the load.
    pub fn tool_core_count(&self) -> usize {
        match &self.hosts {
            None => self.tool_cores.len(),
            Some(hosts) => hosts.load_machines().values().map(|(_, cores)| cores.len()).sum(),
        }
    }

    /// The number of cores that the server and the tool could use together.
    pub fn cores(&self) -> usize {
        if self.hosts.is_some() {
            return self.server_cores.len() + self.tool_core_count();
        }
        let is_own = |core: &&usize| !self.server_cores.contains(core);
        self.server_cores.len() + self.tool_cores.iter().filter(is_own).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::record::MemoryRecord;

    #[test]
    fn figures_come_from_a_records_parts() {
        let mut record = Record::example("one", 1);
        assert_eq!((record.per_second(), record.cpu_per_request()), (Some(1000.0), Some(0.000_5)));
        assert_eq!((record.cores(), record.error_count(), record.memory_per_connection()), (2, 0, None));
        record.load.as_mut().unwrap().answered = 0;
        assert_eq!((record.per_second(), record.cpu_per_request()), (Some(0.0), None));
        record.workload.task = TaskRecord::Hold;
        let bytes =
            |at_rest, after| MemoryRecord { at_rest_bytes: at_rest, after_bytes: after, peak_bytes: None };
        for (memory, expected) in [
            (bytes(Some(1000), Some(3000)), Some(200.0)),
            (bytes(Some(9), Some(1)), Some(0.0)),
            (bytes(None, Some(1)), None),
        ] {
            record.memory = Some(memory);
            assert_eq!(record.memory_per_connection(), expected, "{memory:?}");
        }
    }
}
