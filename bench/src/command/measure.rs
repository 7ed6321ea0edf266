//! `bench measure`: runs workloads on servers, keeps a record of each run, and ends with the tables.

use std::path::Path;

use super::{Outcome, print};
use crate::checkout::Checkout;
use crate::cli::Measure;
use crate::cores::Cores;
use crate::host::Host;
use crate::machine::Machine;
use crate::measure::{Measurement, Tally};
use crate::results::{self, Results};
use crate::{report, tool};

pub(super) fn run(root: Option<&Path>, arguments: &Measure) -> anyhow::Result<Outcome> {
    let checkout = Checkout::read(root)?;
    let servers = checkout.choose_servers(&arguments.servers)?;
    let mut workloads = checkout.choose_workloads(&arguments.workloads)?;
    for workload in &mut workloads {
        if let Some(tool) = &arguments.tool {
            workload.tool.clone_from(tool);
        }
        tool::find(&workload.tool)?;
        workload.repetitions = arguments.repetitions.unwrap_or(workload.repetitions);
    }
    let cores = Cores::divide(arguments.server_cores.clone(), arguments.tool_cores.clone())?;
    let machine = Machine::read(&cores, arguments.seed.unwrap_or_else(|| fastrand::u64(..)))?;
    let folder = arguments.out.clone().unwrap_or_else(|| checkout.results().join(machine.folder_name()));
    let host = Host::this_machine(checkout.tools())?;

    let mut results = Results::create(&folder, &machine)?;
    let (servers, workloads) = (&servers, &workloads);
    let measurement = Measurement { host: &host, cores: &cores, seed: machine.seed, servers, workloads };
    let tally = measurement.run(&mut results)?;

    let text = report::text(&results::load(&folder)?);
    print(&text)?;
    let report = results::write_report(&folder, "report.txt", &text)?;
    anstream::eprintln!("\nrecords: {}\nreport:  {}", folder.display(), report.display());
    Ok(match tally {
        Tally { interrupted: true, .. } => Outcome::Interrupted,
        Tally { failed: 0, .. } => Outcome::Fine,
        Tally { .. } => Outcome::Failed,
    })
}
