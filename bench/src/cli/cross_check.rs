//! `--cross-check`: copies of workloads under a second tool, to compare it with the first tool.

use std::collections::BTreeMap;

use anyhow::{Context, bail, ensure};

use crate::servers::workload::Workload;
use crate::tools::{self, Tool};

/// The second tool.
pub(super) struct CrossCheck {
    tool: &'static dyn Tool,
    /// Whether it makes the load of at least one workload.
    is_used: bool,
    /// The workloads whose load the tool cannot make, by the reason.
    refused: BTreeMap<&'static str, Vec<String>>,
}

impl CrossCheck {
    /// Fails when there is no tool of this name.
    pub(super) fn new(tool: &str) -> anyhow::Result<Self> {
        let tool = tools::find(tool).context("--cross-check")?;
        Ok(Self { tool, is_used: false, refused: BTreeMap::new() })
    }

    /// Returns the workload under the second tool; `None` if the tool cannot make the same load, or
    /// the workload has no load. Fails if the workload already uses this tool.
    pub(super) fn copy(&mut self, workload: &Workload) -> anyhow::Result<Option<Workload>> {
        let (name, tool) = (&workload.name, self.tool.name());
        let Some(load) = workload.load() else { return Ok(None) };
        ensure!(load.tool != tool, "--cross-check: {name} is measured by {tool} already: name another tool");
        if let Some(reason) = tools::refuses_check(self.tool, tools::find(&load.tool)?, load) {
            self.refused.entry(reason).or_default().push(name.clone());
            return Ok(None);
        }
        self.is_used = true;
        Ok(Some(workload.with_tool(tool)))
    }

    /// Returns a sentence for each reason why workloads are not checked. Fails if none is checked.
    pub(super) fn left_out(self) -> anyhow::Result<Vec<String>> {
        let tool = self.tool.name();
        if !self.is_used {
            match self.refused.into_keys().collect::<Vec<_>>()[..] {
                [] => bail!("--cross-check: none of these workloads has a load, which {tool} could make too"),
                ref reasons => bail!(
                    "--cross-check: none of these workloads can be checked by {tool}, which {}",
                    reasons.join(", or ")
                ),
            }
        }
        let sentence = |(reason, names): (&str, Vec<String>)| {
            let are = if names.len() == 1 { "is" } else { "are" };
            format!("{} {are} not cross-checked: {tool} {reason}", names.join(", "))
        };
        Ok(self.refused.into_iter().map(sentence).collect())
    }
}
