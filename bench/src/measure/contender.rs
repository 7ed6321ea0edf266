//! The contenders of a measurement: the servers, and a duplicate of one of them.

use anyhow::bail;

use super::Control;
use super::prepare::{Prepared, Setup};
use crate::servers::server::Server;
use crate::servers::workload::{Load, Mode, Workload};
use crate::store::record::{ErrorKind, ErrorRecord, Record, SCHEMA, ServerRecord, ToolRecord};
use crate::tools;

/// A server, or its duplicate, that takes part in a measurement.
pub(super) struct Contender<'a> {
    /// The server's name, or that of its duplicate.
    pub(super) name: String,
    pub(super) server: &'a Server,
    pub(super) prepared: Prepared,
    pub(super) is_duplicate: bool,
}

impl<'a> Contender<'a> {
    /// Returns the servers, as they were prepared, and the duplicate that `control` asks for.
    pub(super) fn all(servers: &[&'a Server], prepared: Vec<Prepared>, control: &Control) -> Vec<Self> {
        let contender = |(server, prepared): (&&'a Server, Prepared)| Self {
            name: server.name.clone(),
            server,
            prepared,
            is_duplicate: false,
        };
        let mut contenders: Vec<Self> = servers.iter().zip(prepared).map(contender).collect();
        let is_ready = |contender: &&Self| contender.prepared.is_ok() && !contender.server.is_floor;
        let ready: Vec<&Self> = contenders.iter().filter(is_ready).collect();
        // If several servers pass the same number of cases, uses the first, so that the user's
        // order counts.
        let best = ready.iter().rev().max_by_key(|contender| contender.passed_cases());
        let duplicated = match control {
            Control::Best => best.filter(|_| ready.len() > 1).copied(),
            Control::Named(name) => ready.iter().find(|contender| contender.name == *name).copied(),
            Control::Off => None,
        };
        let duplicate = duplicated.map(|contender| Self {
            name: format!("{}-duplicate", contender.name),
            server: contender.server,
            prepared: contender.prepared.clone(),
            is_duplicate: true,
        });
        contenders.extend(duplicate);
        contenders
    }

    /// Returns the server as it is run: on another host, its commands name the files that were
    /// copied there.
    pub(super) fn runs(&self) -> &Server {
        self.prepared.as_ref().map_or(self.server, |ready| &ready.server)
    }

    /// Returns why the server cannot be run under the workload; `None` if it can.
    pub(super) fn refuses(&self, workload: &Workload) -> Option<ErrorRecord> {
        let needs_more = |load: &Load| !load.mix.is_empty() || matches!(load.mode, Mode::CloseAfter(_));
        if self.server.is_floor && workload.load().is_some_and(needs_more) {
            let message = "it answers one request again and again on a connection, and no other".into();
            return Some(ErrorRecord { kind: ErrorKind::Unavailable, message });
        }
        let protocol = workload.protocol();
        if !self.server.protocols.contains(&protocol) {
            let message = format!("it does not speak {protocol}, by its manifest");
            return Some(ErrorRecord { kind: ErrorKind::Unavailable, message });
        }
        let is_refused =
            self.server.attached.is_some() && (workload.load().is_none() || workload.server_cores.is_some());
        is_refused.then(|| ErrorRecord {
            kind: ErrorKind::Unavailable,
            message: "it runs already, and this workload starts its server: give it a `server.toml` and --server-dir"
                .into(),
        })
    }

    fn passed_cases(&self) -> u64 {
        let conformance = self.prepared.as_ref().ok().and_then(|ready| ready.conformance.as_ref());
        conformance.map_or(0, |found| found.passed)
    }

    /// Returns the cores that the server may use: those of the workload, or, for an attached
    /// process, those that the kernel allows, if they are known.
    fn cores(&self, setup: &Setup) -> Vec<usize> {
        match &self.server.attached {
            None => setup.cores.server.clone(),
            Some(attached) => attached.process.and_then(|process| process.cores()).unwrap_or_default(),
        }
    }

    /// Returns a record of a run of this contender, without figures.
    pub(super) fn record(
        &self,
        workload: &Workload,
        setup: &Setup,
        repetition: Option<u32>,
        attempt: u32,
    ) -> Record {
        let server = self.server;
        let ready = self.prepared.as_ref().ok();
        let semantics = workload.load().and_then(|load| Some(tools::find(&load.tool).ok()?.semantics(load)));
        Record {
            schema: SCHEMA,
            started: crate::machine::now(),
            workload: workload.record(),
            server: ServerRecord {
                name: self.name.clone(),
                duplicate_of: self.is_duplicate.then(|| server.name.clone()),
                title: server.title.clone(),
                language: server.language.clone(),
                runtime: server.runtime.clone(),
                model: server.model.as_str().into(),
                version: ready.map(|ready| ready.version.clone()),
                is_floor: server.is_floor,
                is_attached: server.attached.is_some(),
                article: server.article.clone(),
                warm_up_seconds: server.warm_up_seconds,
                conformance: ready.and_then(|ready| ready.conformance.clone()),
                binary_bytes: ready.and_then(|ready| ready.binary_bytes),
            },
            tool: ToolRecord {
                name: workload.tool().into(),
                version: setup.tool.clone(),
                semantics,
                command: Vec::new(),
            },
            repetition,
            attempt,
            until: setup.until,
            server_cores: self.cores(setup),
            tool_cores: setup.cores.tool.clone(),
            hosts: None,
            verdict: None,
            load: None,
            latency: None,
            connections: None,
            cpu: None,
            slices: None,
            series: None,
            memory: None,
            start: None,
            error: None,
            raw: None,
        }
    }
}

/// Fails when a resumed measurement has runs of another version of a server: runs of two versions
/// do not belong in one cell.
pub(super) fn refuse_other_versions(contenders: &[Contender], done: &[Record]) -> anyhow::Result<()> {
    for contender in contenders {
        let Ok(ready) = &contender.prepared else { continue };
        let known = done.iter().filter(|run| run.server.name == contender.name);
        let other =
            known.filter_map(|run| run.server.version.as_ref()).find(|other| **other != ready.version);
        if let Some(other) = other {
            bail!(
                "--resume: {} is `{}` now, and was `{other}`: begin a new measurement, or leave it out",
                contender.name,
                ready.version
            );
        }
    }
    Ok(())
}
