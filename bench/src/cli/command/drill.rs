//! `bench drill`: does each server survive faults and misbehaving clients?

use std::path::Path;

use anyhow::{Context, bail};

use super::report::rewrite_report;
use super::{BAD, Coverage, GOOD, Outcome, note, print, read_checkout, styled, told, without_floor};
use crate::checks::drill::{self, DRILLS, Drill};
use crate::cli::{self, Form};
use crate::machine::host::{self, Host};
use crate::report;
use crate::servers::build;
use crate::servers::deploy;
use crate::servers::install;
use crate::servers::launch;
use crate::servers::server::Server;
use crate::store::drills::{DrillRecord, OutcomeRecord, SizeRecord};
use crate::store::record::Protocol;
use crate::store::results::DrillsFile;
use crate::text::names;
use crate::text::numbers;

/// Connections that the largest drill opens at once.
const WANTED: u16 = 10_000;

/// Descriptors kept for connections that warm a server up, and for the server's own files.
const RESERVED: usize = 400;

pub(super) fn run(root: Option<&Path>, arguments: &cli::Drill) -> anyhow::Result<Outcome> {
    if arguments.list {
        return print(&list());
    }
    let checkout = read_checkout(root)?.with_server_dirs(&arguments.chosen.server_dir)?;
    let named = arguments.chosen.names(&arguments.names);
    let servers = without_floor(checkout.choose_servers(named)?, named, "does not handle faults")?;
    let servers = speaking(servers, named, arguments.protocol)?;
    let drills = choose(&arguments.drills, arguments.protocol)?;
    let mut kept = arguments.keep.as_deref().map(keep).transpose()?;
    let hosts = arguments.host.reach(Host::this_machine(checkout.tools())?, &checkout.root)?;
    let (here, host) = (&hosts.here, hosts.server());
    if arguments.chosen.install {
        install::missing(host, &servers, true, note);
    }
    let connections = connections(host::raise_descriptor_limit()?);
    let size = if arguments.short { SizeRecord::Short } else { SizeRecord::Full { connections } };

    let mut records = Vec::new();
    let mut outdated = String::new();
    let (mut all_well, mut coverage) = (true, Coverage::default());
    for server in servers {
        build::kept(here, server).iter().for_each(|sentence| note(sentence));
        let prepared = deploy::prepare(here, host, server, true);
        if host.interrupted() {
            return Ok(Outcome::Interrupted);
        }
        let server = match prepared {
            Ok(Ok(server)) => server,
            Ok(Err(why)) => {
                note(&format!("{:<14} {}: {why}", server.name, styled(BAD, "unavailable")));
                coverage.record_missing(server, named);
                continue;
            }
            Err(error) => {
                all_well = false;
                note(&format!("{:<14} {}: {}", server.name, styled(BAD, "failed"), told(&error)));
                continue;
            }
        };
        let Some(made) = run_drills(host, &server, &drills, (size, arguments.protocol), kept.as_mut())?
        else {
            return Ok(Outcome::Interrupted);
        };
        coverage.has_results = true;
        outdated += &self::outdated(&server, &made);
        all_well &= made.iter().all(DrillRecord::is_as_known);
        records.extend(made);
    }
    all_well &= outdated.is_empty();
    print(&printed(arguments.format, &records)?)?;
    match arguments.format {
        Form::Json => anstream::eprint!("{outdated}"),
        Form::Text | Form::Markdown => _ = print(&outdated)?,
    }
    if let Some(folder) = &arguments.keep {
        anstream::eprintln!("report: {}", rewrite_report(folder)?.display());
    }
    Ok(coverage.outcome(all_well))
}

fn printed(form: Form, records: &[DrillRecord]) -> anyhow::Result<String> {
    Ok(match form {
        Form::Text => table(records),
        Form::Markdown => report::drills_markdown(records),
        Form::Json => {
            serde_json::to_string_pretty(records).context("cannot write the results as JSON")? + "\n"
        }
    })
}

/// Opens the file of a result folder that stores the results. Fails when the folder cannot be
/// written.
fn keep(folder: &Path) -> anyhow::Result<DrillsFile> {
    let (file, torn) = DrillsFile::open(folder).context("--keep")?;
    if let Some(torn) = torn {
        anstream::eprintln!("{torn}");
    }
    file.warning(folder).iter().for_each(|warning| note(warning));
    Ok(file)
}

/// The servers that speak a protocol. Fails when one that the user has named does not.
fn speaking<'a>(
    mut servers: Vec<&'a Server>,
    named: &[String],
    protocol: Protocol,
) -> anyhow::Result<Vec<&'a Server>> {
    let is_named = |server: &Server| named.contains(&server.name);
    let is_silent = |server: &&&Server| !server.protocols.contains(&protocol);
    if let Some(server) = servers.iter().filter(is_silent).find(|server| is_named(server)) {
        bail!("{} does not speak {protocol}, by its manifest", server.name);
    }
    servers.retain(|server| server.protocols.contains(&protocol));
    Ok(servers)
}

/// Runs the drills with one server, prints each result to standard error, and stores it. Returns
/// `None` when the user interrupts the command.
fn run_drills(
    host: &Host,
    server: &Server,
    drills: &[&Drill],
    (size, protocol): (SizeRecord, Protocol),
    mut kept: Option<&mut DrillsFile>,
) -> anyhow::Result<Option<Vec<DrillRecord>>> {
    let version = kept.as_ref().and_then(|_| launch::version(host, server).ok());
    let mut records = Vec::new();
    for drill in drills {
        let record = drill.run(host, server, version.clone(), size, protocol);
        if host.interrupted() {
            return Ok(None);
        }
        anstream::eprintln!("{}", progress(&record));
        if let Some(kept) = &mut kept {
            kept.append(&record)?;
        }
        records.push(record);
    }
    Ok(Some(records))
}

/// A line for each known failure that passes, or that names a drill that does not exist.
fn outdated(server: &Server, records: &[DrillRecord]) -> String {
    let passes = |record: &&DrillRecord| !record.outcome.is_failure() && !record.is_as_known();
    let known_as = |record: &DrillRecord| {
        let drill = DRILLS.iter().find(|drill| drill.name == record.drill);
        drill.map_or_else(|| record.drill.clone(), |drill| drill.known_as(record.protocol))
    };
    let passed = records.iter().filter(passes).map(|record| format!("{} passes", known_as(record)));
    let unknown = drill::unknown_names(server).map(|name| format!("{name} is not a drill"));
    let manifest = server.folder.join("server.toml");
    let line = |what: String| format!("{} {what}: remove it from {}\n", server.name, manifest.display());
    passed.chain(unknown).map(line).collect()
}

/// Returns the drills that `--drills` names, in the order of [`DRILLS`]. Returns all drills that
/// apply to the protocol when the flag is absent or `all`. Fails when a name is unknown, or the
/// fault has no meaning over the protocol.
fn choose(wanted: &[String], protocol: Protocol) -> anyhow::Result<Vec<&'static Drill>> {
    let all = drill::over(protocol);
    if wanted.is_empty() || wanted == ["all"] {
        return Ok(all.collect());
    }
    for name in wanted {
        let drill = names::find("drill", name, &DRILLS, |drill| drill.name)?;
        if !drill.protocols.contains(&protocol) {
            bail!("--drills: `{name}` has no meaning over {protocol}, but over {}", spoken(drill));
        }
    }
    Ok(all.filter(|drill| wanted.iter().any(|name| name == drill.name)).collect())
}

/// The protocols of a drill.
fn spoken(drill: &Drill) -> String {
    drill.protocols.iter().map(|protocol| protocol.as_str()).collect::<Vec<_>>().join(", ")
}

/// How many connections this machine allows. Prints a line when they are fewer than the drills
/// want.
fn connections(descriptors: usize) -> usize {
    let allowed = descriptors.saturating_sub(RESERVED);
    let wanted = usize::from(WANTED);
    if allowed < wanted {
        anstream::eprintln!(
            "The limit of {descriptors} open files (`ulimit -Hn`) leaves {allowed} connections at once instead of {}.",
            numbers::whole(f64::from(WANTED))
        );
    }
    allowed.min(wanted)
}

fn list() -> String {
    let line = |drill: &Drill| {
        let only = if drill.protocols.len() < Protocol::ALL.len() {
            format!(" [{}]", spoken(drill))
        } else {
            String::new()
        };
        format!("{:<18} {}{only}\n", drill.name, drill.about)
    };
    DRILLS.iter().map(line).collect()
}

fn progress(record: &DrillRecord) -> String {
    let (style, text) = match &record.outcome {
        OutcomeRecord::Passed(figure) => (GOOD, figure),
        OutcomeRecord::Failed(wrong) => (BAD, wrong),
    };
    let over = if record.protocol.is_plain() { String::new() } else { format!(" over {}", record.protocol) };
    format!("{:<14} drill/{:<18}{over} {}", record.server.name, record.drill, styled(style, text))
}

fn table(records: &[DrillRecord]) -> String {
    // Styles are added once the columns have their widths.
    let table = report::drills(records, report::terminal_width());
    format!("\n{}", table.replace(report::FAILED, &styled(BAD, report::FAILED)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN_FAILURES: &str = r#"
        [[known_failures]]
        cases = ["drill/never-read", "drill/kill", "drill/no-such", "endpoint/get"]
        reason = "Nothing is bounded."
        [[known_failures]]
        cases = ["drill/half-close", "drill/mixed"]
        reason = "Whichever comes first."
        flaky = true
        [[known_failures]]
        cases = ["https-drill/idle", "https-drill/half-close", "h2-drill/idle", "h2-drill/kill"]
        reason = "A record is kept."
    "#;

    #[test]
    fn outdated_known_failures_are_reported() {
        let server = Server { folder: "example".into(), ..Server::example(KNOWN_FAILURES) };
        // A drill over a protocol, its outcome, and whether that is as known.
        let cases = [
            ("idle", Protocol::Http1, Ok(""), true),
            ("resets", Protocol::Http1, Err(""), false),
            ("half-close", Protocol::Http1, Ok(""), true),
            ("never-read", Protocol::Http1, Err(""), true),
            ("kill", Protocol::Http1, Ok(""), false),
            ("mixed", Protocol::Http1, Err(""), true),
            ("idle", Protocol::Https, Ok(""), false),
            ("never-read", Protocol::Https, Err(""), false),
            ("idle", Protocol::H2, Err(""), true),
            ("idle", Protocol::H2c, Err(""), true),
            ("kill", Protocol::H2c, Ok(""), false),
        ];
        let records = cases.map(|(drill, protocol, outcome, is_as_known)| {
            let mut record = DrillRecord { protocol, ..DrillRecord::example("example", drill, outcome) };
            let found = DRILLS.iter().find(|other| other.name == drill).unwrap();
            record.known = drill::known_reason(&server, &found.known_as(protocol), &record.outcome);
            assert_eq!(record.is_as_known(), is_as_known, "{drill} over {protocol}");
            record
        });
        assert_eq!(
            outdated(&server, &records),
            "example drill/kill passes: remove it from example/server.toml\n\
             example https-drill/idle passes: remove it from example/server.toml\n\
             example h2-drill/kill passes: remove it from example/server.toml\n\
             example drill/no-such is not a drill: remove it from example/server.toml\n\
             example https-drill/half-close is not a drill: remove it from example/server.toml\n"
        );
    }

    #[test]
    fn a_drill_is_chosen_over_a_protocol_in_which_its_fault_has_a_meaning() {
        let cases = [
            (Protocol::Http1, "kill,idle", Ok("idle kill")),
            (Protocol::H2, "kill,stream-resets", Ok("stream-resets kill")),
            (
                Protocol::Https,
                "half-close",
                Err("--drills: `half-close` has no meaning over https, but over http/1.1"),
            ),
            (Protocol::H2c, "kil", Err("unknown drill `kil`: did you mean `kill`?")),
        ];
        for (protocol, wanted, expected) in cases {
            let wanted: Vec<String> = wanted.split(',').map(str::to_owned).collect();
            let chosen = choose(&wanted, protocol).map_err(|error| error.to_string());
            let chosen =
                chosen.map(|drills| drills.iter().map(|drill| drill.name).collect::<Vec<_>>().join(" "));
            assert_eq!(chosen.as_deref().map_err(String::as_str), expected, "{protocol} {wanted:?}");
        }
        for protocol in Protocol::ALL {
            let all = choose(&[], protocol).unwrap();
            assert!(all.iter().all(|drill| drill.protocols.contains(&protocol)), "{protocol}");
        }
    }
}
