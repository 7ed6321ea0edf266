//! The text below the flags in each `--help`: how to read the output, examples, and exit codes.
//!
//! An example is a line that begins with two spaces and `bench`, which the tests parse. Its purpose is
//! on the next line, indented further, so that a narrow terminal breaks neither.

pub(super) const BENCH: &str = "\
Examples:
  bench doctor
      what does this machine lack, and is it quiet enough to measure on?
  bench list
      which servers, workloads and load tools are there?
  bench measure quick
      which server is fastest? A first answer in minutes
  bench measure article
      the article's three scenarios on every server
  bench new mine --language rust
      a server of your own to start from
  bench report bench/results/20260101T120000Z-host
      the report of a measurement again
  bench explain bench/results/20260101T120000Z-host
      where does the CPU time of a request go?
  bench compare results/before results/after
      did anything get worse?
  bench history
      how did figures change from one measurement to the next?
  bench verify --conformance
      do the servers follow HTTP/1.1?
  bench drill --servers threads --drills kill,idle
      does a server survive faults and misbehaving clients?
  bench microbench connection
      what does a request cost in the code of the Rust servers?
  bench serve threads --port 8080
      start a server in the foreground

`bench COMMAND --help` explains each command. Reports go to standard output, progress and warnings to standard error.

Exit codes: 0 success, 1 something failed, 2 wrong usage, 3 what was named was not measured, \
verified or compared, 130 interrupted.";

pub(super) const LIST: &str = "\
A server or a tool that is unavailable is listed with the reason and how to get it; --install of other commands installs what \
Debian has. A server that is \"available if named\" is measured only if --servers names it or is `all`. The time of a suite is \
that of its runs on the available servers, without the builds.

Examples:
  bench list
      everything
  bench list workloads
      what can be measured, under which load, and how long does it take?
  bench list tools
      load tools and their versions

Exit codes: 0 the list is printed, 1 a manifest or a workload file has a mistake, 2 wrong usage.";

pub(super) const NEW: &str = "\
Creates servers/LANGUAGE/NAME with the smallest server in that language that keeps the process contract. It can be verified and \
measured at once. No other file is changed, and none is overwritten. The server is measured only if it is named, until you remove \
`default = false` from its server.toml.

Examples:
  bench new mine --language rust
      a thread per connection, with HTTP from `shared`
  bench new mine-py --language python
      asyncio
  bench new mine-too --language other
      any other language: no code, but a checklist of what a server has to do

Exit codes: 0 the folder is created, 1 the name is taken or not allowed, or a file cannot be written, 2 wrong usage.";

pub(super) const CHECK: &str = "\
Each mistake in server.toml is a line, PATH:LINE: the mistake; how to correct it. Nothing is built or started. A line with `note:` \
is not a mistake: it names a program that this machine lacks, or a benchmark that has never run here.

Examples:
  bench check
      every manifest of the checkout
  bench check mine
      one manifest, even if it cannot be parsed

Exit codes: 0 no mistakes, 1 mistakes, 2 wrong usage.";

pub(super) const VERIFY: &str = "\
Sends raw requests to each server, compares the answers with the rules, and the result with the server's manifest: exactly the \
cases in its [[known_failures]] should fail.

A case fails as `smuggling` when the server answered a request hidden within another, as `wrong` when a rule is broken, and as \
`strict` when the RFCs leave a choice that the endpoint does not. Without --conformance only the cases of the endpoint itself are \
sent. A floor is not a server and does not parse requests: it is sent one request over and over, and left out with --conformance.

Examples:
  bench verify hyper threads
      do these answer as the endpoint should?
  bench verify --conformance
      do all follow HTTP/1.1? With a table by subject
  bench verify http-server --conformance --all
      also list known failures, each with the reason
  bench verify --conformance --server-dir ~/mine
      a server of yours, in a folder outside of the checkout
  bench verify --conformance --address 127.0.0.1:8080
      a server that runs already

Exit codes: 0 each server is as its manifest says; 1 a server differs from it in either direction, or could not be asked, and with \
--address a case failed; 2 wrong usage; 3 a server that was named, or each one, is unavailable; 130 interrupted.";

pub(super) const DRILL: &str = "\
Each drill starts a server, injects one fault, and reports a figure or what went wrong. All drills take two minutes per server. No \
figure is a speed. A failure is known if the manifest has `drill/NAME` in its [[known_failures]]. Floors are left out.

With --keep each finding is a line in the folder's drills.jsonl as soon as it is made. If a server is drilled twice the later \
finding counts.

Examples:
  bench drill --list
      what does each drill do?
  bench drill --servers threads --drills kill,idle
      two drills of one server
  bench drill --short
      all drills in their short form on every server, as the tests run them
  bench drill --server-dir ~/mine
      all drills of a server of yours, in a folder outside of the checkout
  bench drill --servers hyper,threads --keep results/before
      and add the findings to the report of a measurement

Exit codes: 0 each server is as its manifest says; 1 a server differs from it in either direction, or could not be built; 2 wrong \
usage; 3 a server that was named, or each one, is unavailable; 130 interrupted.";

pub(super) const MICROBENCH: &str = "\
Criterion runs the benchmarks in the checkout and draws pages of them. The table shows those of this run: the median time per \
operation, such as per request, its 95 % interval, and the operations per second. All of them take three minutes once they are \
built.

With --keep the figures are stored in the folder's microbench.json. The report shows them beside the CPU time per request of the \
servers.

What follows `--` is passed on to criterion, which compares runs itself: --save-baseline NAME stores a run, and --baseline NAME \
prints the change since then of each benchmark, with its interval.

Examples:
  bench microbench connection
      what does a request cost in our own code?
  bench microbench --keep results/before
      all benchmarks, for a measurement's report
  bench microbench answer -- --save-baseline before
  bench microbench answer -- --baseline before
      what does a change do to the cost of an answer?

Exit codes: 0 the figures are printed, 1 a benchmark failed or could not be built, 2 wrong usage, 130 interrupted.";

pub(super) const MEASURE: &str = "\
Servers run on one half of the cores and the load tool on the other; with more than two cores the harness has one of its own. \
Both halves are whole cores of one kind and one NUMA node, of which one thread each is used (--smt). `bench doctor` draws them. \
Suites are measured in the order given. Within a suite each repetition runs every server once, in shuffled order, under each \
workload. A floor, which is not a server but the lowest possible cost, is run among them.

A preliminary table is printed to standard error after the first repetition of each workload, and again after its last. The report \
goes to standard output and, in every format, into the result folder. Each run is a line in the folder's measurements.jsonl as soon \
as it is made: nothing measured is lost.

Ctrl-C ends a measurement, reports what there is, and leaves no process running; `bench measure --resume DIR` continues it. A \
second Ctrl-C skips the report. `bench list workloads` shows what can be measured and how long it takes, `bench doctor` whether \
this machine is quiet enough, and METHODOLOGY.md explains the figures. `article` runs each scenario once per server, as the article \
did; intervals and ranks need five repetitions (--repetitions 5).

With --address a server is measured that runs already. It is verified, loaded and watched like the others, but not started, pinned \
or ended: it keeps the cores it has, it is warm from the run before, and workloads that start a server leave it out.

Examples:
  bench measure quick
      which server is fastest? A first answer in minutes
  bench measure article
      the article's three scenarios on every server, with a verdict
  bench measure article-5s-1 --servers hyper,actix --repetitions 5
      one workload, two servers, with intervals
  bench measure quick --server-dir ~/mine --servers hyper
      a server of yours, in a folder outside of the checkout, and one of ours
  bench measure quick --address 127.0.0.1:8080 --pid 4711 --as \"mine 1.2\" --servers hyper
      a server that you have started, and one of ours
  bench measure quick --cross-check wrk
      do two load tools agree?
  bench measure quick --quiet > tables.txt
      only warnings on the terminal
  bench measure --resume bench/results/20260101T120000Z-host
      continue an interrupted measurement

Exit codes: 0 every run has figures, except those of servers that this machine lacks and that were not named; 1 a run failed; 2 wrong \
usage; 3 no run failed, but a workload, or a server that was named, has no figures, since this machine lacks the server or the tool; \
130 interrupted.";

pub(super) const REPORT: &str = "\
A report is made from the records alone. It can be made as often as you like, also of a measurement that is still running, was \
interrupted, or was made on another machine. `bench measure` ends with one, and writes every format, with the page and its charts, \
into DIR/report. With --baseline ratios are relative to the server of that name, paired by repetition; records and DIR/report stay \
as they are.

Examples:
  bench report results/before
      the report again
  bench report bench/results/LAST
      the report of the latest measurement
  bench report results/before --format markdown
      for an issue or a README
  bench report results/before --baseline nethttp
      ratios to the server that you run today
  bench report results/before --format html --output a.html
      a page to send to a colleague
  bench report results/before --format csv | column -ts,
      a line per figure, for other programs

Exit codes: 0 the report is made, 1 the folder cannot be read or the file cannot be written, 2 wrong usage.";

pub(super) const EXPLAIN: &str = "\
Breaks down the CPU time per request: the kernel's part, which is that of the floor under the same load; the thread switches that a \
server has more than the floor; its framework; and its own code. The last two are the microbenchmarks that its manifest names in \
[costs]. The rest is unexplained; for a server without [costs] the runtime and its code are one part. Covered are closed loops whose \
requests are sent one at a time over kept connections.

DIR needs a measurement with the floor, as `bench measure quick` makes it, and microbenchmarks, which `bench microbench --keep DIR` \
adds. The breakdown is also a section of the report.

Examples:
  bench explain bench/results/LAST
      where does the CPU time go, in the latest measurement?
  bench explain results/before --format html --output explained.html
      the same with charts

Exit codes: 0 the breakdown is printed, 1 the folder cannot be read or lacks what is needed, or the file cannot be written, 2 wrong \
usage.";

pub(super) const COMPARE: &str = "\
Compares each server of B with the same one of A, under each workload and tool that both folders have: CPU time per request; \
requests per second where the server was the bottleneck in both, as the figure says nothing about the server otherwise; the \
99th percentile of the latency in open loops whose rates were held and differ by at most 10 %; the time to the first answer; and \
memory per connection.

A figure is worse, or better, when both folders have at least five repetitions, the interval of the ratio of B to A excludes 1, \
and the median ratio is beyond the noise: the difference of a server from itself (A/A) in either folder. Otherwise it is the same: \
the two cannot be distinguished. A server that worked in A and has no figures in B, or failed requests, is broken; what is invalid \
or was disturbed for another reason is not judged. A machine changes from day to day, which no A/A control shows: measure A and B \
soon after each other. Twice the CPU time is worse by 100 %, half the requests per second by 50 %.

Examples:
  bench compare bench/results/20260101T120000Z-host bench/results/20260102T120000Z-host
      did anything get worse?
  bench compare results/main results/branch --fail-above 5
      for CI: losses of up to 5 % pass
  bench compare results/main results/branch --format json
      the figures, for other programs

As a gate it has three answers. B is worse where a median is, by more than --fail-above, or a server is broken. It cannot be said where \
none is, but a figure of A was not compared: B lacks it, has too few repetitions, or was disturbed. What is invalid in A is no baseline, \
and what only B has is new: neither counts.

Exit codes: 0 B is not worse; 1 B is worse; 2 wrong usage; 3 it cannot be said, or a folder cannot be read.";

pub(super) const HISTORY: &str = "\
Each measurement is compared with the one before it on the same machine, as `bench compare` does. Charts of how the figures \
changed are on a page, DIR/history.html.

Examples:
  bench history
      every measurement in bench/results
  bench history results --format csv
      those in another folder, for other programs

Exit codes: 0 the list is printed, also where the page cannot be written; 1 a folder cannot be read; 2 wrong usage.";

pub(super) const README: &str = "\
Copies the records that the answer is taken from to bench/recorded, draws the picture there, and writes the part of README.md \
that shows them. `scripts/record` measures first.

Examples:
  bench readme bench/results/20260101T120000Z-host

Exit codes: 0 README.md has the figures, 1 the folder cannot be read or a file cannot be written, 2 wrong usage.";

pub(super) const SERVE: &str = "\
Flags after the name are passed to the server, whose output and exit code are those of this command; `bench serve NAME -- --help` \
lists them. Ctrl-C ends the server.

Examples:
  bench serve threads --port 8080
      then `curl -i localhost:8080/abc` in another terminal
  bench serve hyper --port 8080 --workers 2
      with two threads
  bench serve --server-dir ~/mine mine --port 8080
      a server of yours, in a folder outside of the checkout
  bench serve nethttp --version
      the version of the server and of its runtime

Exit codes: the server's; 1 it is unavailable or cannot be built, 2 wrong usage.";

pub(super) const DOCTOR: &str = "\
It draws the machine's cores with those who get them, unless --server-cores and --tool-cores choose others. \
Each line below begins with a word: `ok`; `note`, worth knowing; `lacks`, missing on this machine, with how to get it; and `bad`, which \
spoils figures, with what to do about it. Nothing is built or changed.

For three seconds it watches the cores: first it sleeps and counts the CPU time of other processes, then it keeps each core busy \
for a second and finds how long the core was taken away. Do not run it during a measurement.

Examples:
  bench doctor
      before the first measurement, and before one that counts

Exit codes: 0 a measurement can be made, however busy the machine is; 1 no server or no load tool is ready; 2 wrong usage; \
130 interrupted.";

pub(super) const COMPLETIONS: &str = "\
Examples:
  bench completions bash > ~/.local/share/bash-completion/completions/bench
      for bash
  bench completions zsh > ~/.zfunc/_bench
      for zsh, with `fpath+=~/.zfunc` before `compinit` in ~/.zshrc
  bench completions fish > ~/.config/fish/completions/bench.fish
      for fish

Exit codes: 0 the script is printed, 2 wrong usage.";

pub(super) const MAN: &str = "\
Examples:
  bench man | man -l -
      the page of `bench`
  bench man --out ~/.local/share/man/man1
      a page per command, such as `man bench-measure`; the folder is created if needed

Exit codes: 0 the pages are written, 1 a page cannot be written, 2 wrong usage.";

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use crate::cli::Arguments;

    /// Every command, and the text below its flags.
    fn commands() -> Vec<(String, String)> {
        let mut bench = Arguments::command();
        bench.build();
        let help = |command: &clap::Command| {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            (command.get_name().to_owned(), help)
        };
        let commands = bench.get_subcommands().filter(|command| command.get_name() != "help");
        std::iter::once(&bench).chain(commands).map(help).collect()
    }

    /// The words of an example as a shell passes them: without pipes and redirections, and with quoted
    /// text as one word.
    fn words(line: &str) -> Option<Vec<&str>> {
        let line = line.strip_prefix("  ").filter(|line| line.starts_with("bench "))?;
        let pieces = line.split('"').zip([false, true].into_iter().cycle());
        let words = pieces.flat_map(|(piece, is_quoted)| {
            let words = if is_quoted { vec![piece] } else { piece.split(' ').collect() };
            words.into_iter().filter(|word| !word.is_empty())
        });
        Some(words.take_while(|word| !["|", ">"].contains(word)).collect())
    }

    #[test]
    fn every_command_has_examples_that_parse_and_lists_its_exit_codes() {
        for (name, help) in commands() {
            let examples: Vec<Vec<&str>> = help.lines().filter_map(words).collect();
            assert!(!examples.is_empty() && help.contains("Examples:"), "{name}: {help}");
            assert!(help.contains("Exit codes:"), "{name}: {help}");
            for example in examples {
                let parsed = Arguments::try_parse_from(&example);
                assert!(parsed.is_ok(), "{name}: {example:?}: {}", parsed.unwrap_err());
                assert!(name == "bench" || example.contains(&name.as_str()), "{name}: {example:?}");
            }
        }
    }

    #[test]
    fn clap_accepts_the_definitions() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_resumed_measurement_takes_no_flags_but_quiet() {
        let mut bench = Arguments::command();
        let measure = bench.find_subcommand_mut("measure").unwrap();
        for flag in
            measure.get_arguments().filter(|flag| flag.get_long().is_some_and(|name| name != "resume"))
        {
            let name = format!("--{}", flag.get_long().unwrap());
            let value = match name.as_str() {
                "--address" => vec!["--address", "127.0.0.1:1"],
                "--as" => vec!["--as", "one 1"],
                name if flag.get_action().takes_values() => vec![name, "1"],
                name => vec![name],
            };
            let words = [&["bench", "measure", "--resume", "DIR"], value.as_slice()].concat();
            // It changes what is printed, not what is measured.
            assert_eq!(Arguments::try_parse_from(words).is_ok(), name == "--quiet", "{name}");
        }
    }
}
