//! Reports, made from a result folder's records alone.

pub mod chart;
pub mod comparison;
mod cross_check;
pub mod document;
pub(crate) mod figures;
pub(crate) mod layout;
mod table;
mod verdict;

use std::fmt::Write;

use crate::machine::Machine;
use crate::results::Loaded;
use crate::summary::{WorkloadSummary, summarise};

/// The whole report as text: for each workload its table and, where somebody published a ratio, the verdict.
pub fn text(loaded: &Loaded) -> String {
    let mut out = head(&loaded.machine);
    if let Some(torn) = &loaded.torn {
        let _ = writeln!(out, "{torn}");
    }
    let summaries = summarise(&loaded.records);
    if summaries.is_empty() {
        out.push_str("\nThere are no runs here yet.\n");
    }
    for summary in summaries.iter().filter(|summary| !summary.is_check) {
        let _ = write!(out, "\n{}", table::text(summary));
        let is_check =
            |other: &&WorkloadSummary| other.is_check && other.workload.name == summary.workload.name;
        for check in summaries.iter().filter(is_check) {
            let _ = write!(out, "\n{}", cross_check::text(summary, check));
        }
        if let Some(published) = &summary.workload.published {
            let _ = write!(out, "\n{}", verdict::text(summary, published));
        }
    }
    out
}

fn head(machine: &Machine) -> String {
    let unknown = || "unknown".to_owned();
    let memory = machine.memory_bytes.map_or_else(unknown, |bytes| format!("{} GiB", bytes >> 30));
    let mut out = format!(
        "{} on {}: {}, {} cores, {memory}, {}\n`{}`\n",
        machine.started,
        machine.host,
        machine.processor.clone().unwrap_or_else(unknown),
        machine.cores.map_or_else(unknown, |cores| cores.to_string()),
        machine.kernel,
        machine.command.join(" "),
    );
    let (server, tool) = (figures::cores(&machine.server_cores), figures::cores(&machine.tool_cores));
    let _ = writeln!(out, "Servers on {server}, the load tool on {tool}.");
    if machine.server_cores.iter().any(|core| machine.tool_cores.contains(core)) {
        out.push_str(
            "They share a core, so each slows the other down: these figures compare pairs, not servers.\n",
        );
    }
    out
}
