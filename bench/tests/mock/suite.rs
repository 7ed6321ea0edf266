//! Suites of workloads as TOML, for tests.
//!
//! ```
//! let suite = suite(&[workload("load").tool("visit").with("requests", 3000), task("start", "start")]);
//! ```

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::Path;

/// The fields of a workload and their values in TOML.
pub(crate) struct Workload(BTreeMap<&'static str, String>);

/// A load of ten requests for `/abc` on one connection by the mock `hey`.
pub(crate) fn workload(name: &str) -> Workload {
    let load = Workload::new(name).tool("hey").with("connections", 1).with("requests", 10);
    load.with("mode", "keep-alive").with("warm_up_seconds", 0).with("timeout_seconds", 20)
}

/// A workload whose task is not a load but, for example, `start`.
pub(crate) fn task(task: &str, name: &str) -> Workload {
    Workload::new(name).with("task", task)
}

/// A suite with one repetition.
pub(crate) fn suite(workloads: &[Workload]) -> String {
    let mut toml = "about = \"mock\"\nrepetitions = 1\n".to_owned();
    for Workload(fields) in workloads {
        toml += "[[workload]]\n";
        fields.iter().for_each(|(name, value)| toml += &format!("{name} = {value}\n"));
    }
    toml
}

impl Workload {
    fn new(name: &str) -> Self {
        Self(BTreeMap::new()).with("name", name).with("title", name).path("/abc")
    }

    /// Sets a field. The `Debug` output for a text or a number is valid TOML.
    pub(crate) fn with(mut self, field: &'static str, value: impl Debug) -> Self {
        self.0.insert(field, format!("{value:?}"));
        self
    }

    /// Removes a field.
    pub(crate) fn without(mut self, field: &str) -> Self {
        self.0.remove(field);
        self
    }

    /// Sets the path and the answer to it.
    pub(crate) fn path(self, path: &str) -> Self {
        self.with("path", path).with("answer", format!("Hello, visitor! You've requested: {path}\n"))
    }

    /// Sets the load tool. `visit` has to be built: a build of `bench` alone does not include it.
    pub(crate) fn tool(self, tool: &str) -> Self {
        let visit = Path::new(env!("CARGO_BIN_EXE_bench")).with_file_name("visit");
        assert!(
            tool != "visit" || visit.exists(),
            "{} is missing; build it: cargo build -p visit",
            visit.display()
        );
        self.with("tool", tool)
    }
}
