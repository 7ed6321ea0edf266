//! `bench doctor`: what this machine has, what it lacks, and whether it is quiet enough to measure.

use std::path::Path;
use std::sync::Arc;

use anstyle::{AnsiColor, Style};

use super::{BAD, GOOD, HEADING, Outcome, print, read_checkout, styled};
use crate::checks::doctor::{self, Finding, Level};
use crate::cli::Hosts;
use crate::machine::Machine;
use crate::machine::assignment::{Choice, Layout};
use crate::machine::host::Host;
use crate::machine::sides::{HostNames, Sides};
use crate::report;
use crate::servers::checkout::Checkout;
use crate::text::layout;
use crate::text::visible::visible;

/// The width of the first column, with the level.
const INDENT: usize = 9;

/// The most columns that lines use, since long lines are hard to read.
const WIDEST: usize = 100;

pub(super) fn run(root: Option<&Path>, hosts: &Hosts) -> anyhow::Result<Outcome> {
    let checkout = read_checkout(root)?;
    let host = Host::this_machine(checkout.tools())?;
    if !hosts.are_none() {
        return between_hosts(&checkout, host, &hosts.names(&checkout.root));
    }
    let layout = Layout::here(&Choice::default())?;
    // The seed is not used here.
    let machine = Machine::read(&layout, 0)?;
    let (tools, servers) = (doctor::tools(&host), doctor::servers(&host, &checkout.servers));
    let is_ready = doctor::is_any_ready(&tools) && doctor::is_any_ready(&servers);
    let picture = doctor::picture(&layout, width());
    let sections = [
        ("System", "", doctor::system(&machine, &layout.cores)),
        ("Cores", &picture, doctor::cores(&layout)),
        ("Load tools", "", tools),
        ("Servers", "", servers),
        ("Limits", "", doctor::limits(&host, &machine)),
        ("Optional", "", doctor::optional(&host)),
    ];
    for (title, picture, findings) in sections {
        print(&format!("{}{picture}{}\n", heading(title), lines(&findings)))?;
    }
    print(&heading("Quietness, observed for three seconds"))?;
    let quietness = doctor::quietness(&host, machine.load_averages);
    if host.interrupted() {
        return Ok(Outcome::Interrupted);
    }
    print(&lines(&quietness?))?;
    if is_ready {
        return Ok(Outcome::Fine);
    }
    print("\nNo measurement is possible: it needs a server and a load tool that are ready.\n")?;
    Ok(Outcome::Failed)
}

/// Checks the hosts that a measurement would run on.
fn between_hosts(checkout: &Checkout, here: Host, names: &HostNames) -> anyhow::Result<Outcome> {
    let (sides, layout) = Sides::connect(Arc::new(here), names, &Choice::default())?;
    let mut is_ready = true;
    for (title, findings) in doctor::hosts(&sides, &layout, &checkout.servers)? {
        is_ready &= findings.iter().all(|finding| finding.level != Level::Bad);
        print(&format!("{}{}\n", heading(&title), lines(&findings)))?;
    }
    if sides.harness().interrupted() {
        return Ok(Outcome::Interrupted);
    }
    Ok(if is_ready { Outcome::Fine } else { Outcome::Failed })
}

fn heading(title: &str) -> String {
    format!("{}\n", styled(HEADING, title))
}

fn lines(findings: &[Finding]) -> String {
    findings.iter().map(|finding| line(finding, width())).collect()
}

fn width() -> usize {
    report::terminal_width().map_or(WIDEST, |width| width.min(WIDEST))
}

/// Returns the level with the wrapped text to its right.
fn line(finding: &Finding, width: usize) -> String {
    let word = finding.level.as_str();
    let padding = " ".repeat(INDENT - 2 - word.len());
    let options = layout::prose(width.saturating_sub(INDENT));
    let text = textwrap::wrap(&visible(&finding.text), options).join(&format!("\n{}", " ".repeat(INDENT)));
    format!("  {}{padding}{text}\n", styled(style(finding.level), word))
}

fn style(level: Level) -> Style {
    match level {
        Level::Ok => GOOD,
        Level::Note => AnsiColor::Cyan.on_default(),
        Level::Lacks => AnsiColor::Yellow.on_default(),
        Level::Bad => BAD,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_wrapped_beside_its_level() {
        let text = "the clock is hpet, which is slow; as root: echo tsc > /sys/file".to_owned();
        let shown = line(&Finding { level: Level::Bad, text }, 40);
        let expected =
            "  bad    the clock is hpet, which is\n         slow; as root: echo tsc >\n         /sys/file\n";
        assert_eq!(anstream::adapter::strip_str(&shown).to_string(), expected);
    }
}
