//! Load tools. Each is known in one file: how to be sure that it is it, its arguments, its output, and what its
//! latency means.

mod hey;
mod oha;
mod visit;
mod wrk;

use std::collections::BTreeMap;

use crate::machine::host::Host;
use crate::servers::workload::{Amount, Load};
use crate::store::record::Semantics;
use ::visit::TimesReport;

/// A program that makes load and prints what came of it.
pub trait Tool: Sync {
    /// The program's name.
    fn name(&self) -> &'static str;

    /// How a person gets it, as the end of a sentence.
    fn get(&self) -> &'static str;

    /// What its latency means under this load.
    fn semantics(&self, load: &Load) -> Semantics;

    /// What of the load it cannot do, as the end of a sentence that begins with its name; `None` when it can.
    fn refuses(&self, load: &Load) -> Option<&'static str>;

    /// Its version, once it is sure that the program is the one that is meant; an error says what it is instead.
    fn identify(&self, host: &Host) -> anyhow::Result<String>;

    /// The program and its arguments that make the load.
    fn command(&self, order: &LoadSpec) -> Vec<String>;

    /// A file that `command` names and that has to be in the folder in which it is run.
    fn script(&self) -> Option<Script> {
        None
    }

    /// What its output says; an error when the output is not a whole summary.
    fn parse(&self, output: &str) -> anyhow::Result<Outcome>;
}

/// What a tool is to do.
#[derive(Clone, Copy, Debug)]
pub struct LoadSpec<'a> {
    /// The load.
    pub load: &'a Load,
    /// How much is asked: less than the load's own in a warm-up.
    pub amount: Amount,
    /// Requests a second of an open loop.
    pub rate: Option<f64>,
    /// The body of every answer.
    pub answer: &'a str,
    /// Cores that the tool may use.
    pub cores: usize,
    /// What to ask for.
    pub url: &'a str,
}

/// A file that a tool is run with.
#[derive(Clone, Copy, Debug)]
pub struct Script {
    /// Its name.
    pub name: &'static str,
    /// What is in it.
    pub text: &'static str,
}

/// What a tool says of a run. What it does not say is `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Time that the load took, in seconds, by the tool's clock.
    pub elapsed_seconds: f64,
    /// Answers with a 2xx status.
    pub answered: u64,
    /// Requests that came to anything else, by what they came to.
    pub errors: BTreeMap<String, u64>,
    /// An answer that was wrong, where the tool looks.
    pub mismatch: Option<String>,
    /// The rate that it claims.
    pub claimed_per_second: Option<f64>,
    /// Of an open loop: whether the rate was held, and how much later than due 99 % of the requests were begun at most, in
    /// seconds; where the tool knows.
    pub held: Option<(bool, f64)>,
    /// Mean latency in seconds.
    pub mean_seconds: Option<f64>,
    /// Latency in seconds by percentile.
    pub percentiles: BTreeMap<u8, f64>,
    /// The largest latency in seconds.
    pub max_seconds: Option<f64>,
    /// All latencies.
    pub histogram: Option<TimesReport>,
    /// How long connections took to open.
    pub connect: Option<TimesReport>,
}

/// Every tool that there is.
pub const TOOLS: &[&dyn Tool] = &[&hey::Hey, &oha::Oha, &visit::Visit, &wrk::Wrk];

/// The tool called `name`.
pub fn find(name: &str) -> anyhow::Result<&'static dyn Tool> {
    crate::text::names::find("tool", name, TOOLS, |tool| tool.name()).copied()
}

/// The tool's version, or why it is unavailable and how to get it.
pub fn available(host: &Host, tool: &dyn Tool) -> Result<String, String> {
    let name = tool.name();
    if host.find(name).is_none() {
        return Err(format!("there is no `{name}` on this machine; {}", tool.get()));
    }
    tool.identify(host).map_err(|error| format!("{error:#}; {}", tool.get()))
}

#[cfg(test)]
impl<'a> LoadSpec<'a> {
    /// An order for the tests of a tool.
    fn example(load: &'a Load, amount: Amount) -> Self {
        Self { load, amount, rate: None, answer: "Hello", cores: 1, url: "URL" }
    }
}
