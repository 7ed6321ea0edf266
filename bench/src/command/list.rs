//! `bench list`: what can be measured here, and what this machine lacks.

use std::path::Path;

use comfy_table::Table;
use comfy_table::presets::NOTHING;

use super::{BAD, GOOD, HEADING, Outcome, print, styled};
use crate::checkout::Checkout;
use crate::cli::{List, Listed};
use crate::host::Host;
use crate::launch;
use crate::server::Server;
use crate::tool::{self, TOOLS, Tool};
use crate::workload::Suite;

pub(super) fn run(root: Option<&Path>, list: &List) -> anyhow::Result<Outcome> {
    let checkout = Checkout::read(root)?;
    let host = Host::this_machine(checkout.tools())?;
    let wanted = |what| list.what.is_none_or(|only| only == what);
    let mut out = Vec::new();
    if wanted(Listed::Servers) {
        out.push(section("Servers", checkout.servers.iter().map(|server| server_row(&host, server))));
    }
    if wanted(Listed::Workloads) {
        out.push(section("Workloads", checkout.suites.iter().flat_map(suite_rows)));
    }
    if wanted(Listed::Tools) {
        out.push(section("Tools", TOOLS.iter().map(|tool| tool_row(&host, *tool))));
    }
    print(&out.join("\n"))
}

fn section(title: &str, rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.add_rows(rows);
    format!("{}\n{}\n", styled(HEADING, title), table.trim_fmt())
}

fn server_row(host: &Host, server: &Server) -> Vec<String> {
    let state = match launch::unavailable(host, server) {
        None => styled(GOOD, "available"),
        Some(why) => styled(BAD, &format!("unavailable: {why}")),
    };
    let Server { name, language, runtime, model, .. } = server;
    vec![name.clone(), language.clone(), runtime.clone(), model.as_str().to_owned(), state]
}

fn suite_rows(suite: &Suite) -> Vec<Vec<String>> {
    let heading = vec![suite.name.clone(), suite.about.clone()];
    let row = |workload: &crate::workload::Workload| {
        vec![format!("  {}", workload.name), format!("{}, path {}", workload.title, workload.path)]
    };
    std::iter::once(heading).chain(suite.workloads.iter().map(row)).collect()
}

fn tool_row(host: &Host, tool: &dyn Tool) -> Vec<String> {
    let state = match tool::available(host, tool) {
        Ok(version) => styled(GOOD, &format!("available: {version}")),
        Err(why) => styled(BAD, &format!("unavailable: {why}")),
    };
    vec![tool.name().to_owned(), state]
}
