//! What stands below the flags in each `--help`: how to read what comes out, examples, and exit codes. An example is a line
//! that begins with two spaces and `bench`, so that the tests find it; what it is for is below it, further in, so that a
//! narrow terminal breaks neither.

pub(super) const BENCH: &str = "\
Examples:
  bench doctor
      what does this machine lack, and is it quiet enough to measure on?
  bench list
      the servers, workloads and load tools that there are
  bench measure quick
      a first answer, in minutes
  bench measure article
      the article's three scenarios on every server
  bench new mine --language rust
      a server of your own, to begin with
  bench report bench/results/20260101T120000Z-host
      the tables of a measurement, again
  bench explain bench/results/20260101T120000Z-host
      where does a request's time go?
  bench compare results/before results/after
      did anything get worse?
  bench history
      how figures went from one measurement to the next
  bench verify --conformance
      do the servers keep the rules of HTTP/1.1?
  bench drill --servers threads --drills kill,idle
      does one stand misfortune, and clients that misbehave?
  bench microbench connection
      what does a request cost in our own code?
  bench serve threads --port 8080
      start a server and keep it in the foreground

`bench COMMAND --help` says more of each. Tables go to standard output, and what is said meanwhile to standard error.

Exit codes: 0 all is well, 1 something failed, 2 wrong usage, 130 interrupted.";

pub(super) const LIST: &str = "\
What is unavailable is listed with the reason and with how to get it; `--install` of other commands gets what Debian has. What is \
there \"when named\" is left out unless --servers names it or is `all`. A suite's time is that of its runs on the other servers that \
are available, without the builds.

Examples:
  bench list
      everything
  bench list workloads
      what can be measured, how it is asked, and how long it takes
  bench list tools
      load tools and their versions

Exit codes: 0 the list is printed, 1 a manifest or a workload file has a mistake, 2 wrong usage.";

pub(super) const NEW: &str = "\
The folder servers/LANGUAGE/NAME is made, with the smallest honest server in that language, which keeps the process contract and \
can be verified and measured at once. Nothing is asked, nothing is overwritten, and no other file is touched. A server is measured \
only when it is named, until `default = false` is taken out of its server.toml.

Examples:
  bench new mine --language rust
      a thread for each connection, with HTTP from shared
  bench new mine-py --language python
      asyncio
  bench new mine-too --language other
      any other language: no code, but a checklist of what is asked of a server

Exit codes: 0 the folder is made, 1 the name is taken or none, or a file cannot be written, 2 wrong usage.";

pub(super) const CHECK: &str = "\
Each mistake in server.toml is a line, PATH:LINE: what is wrong; what to do about it. Nothing is built or started. A line with \
`note:` says what is no mistake: a program that this machine lacks, or a benchmark that was never run here.

Examples:
  bench check
      every manifest of the checkout
  bench check mine
      one of them, even when it cannot be read

Exit codes: 0 there are no errors, 1 there are, 2 wrong usage.";

pub(super) const VERIFY: &str = "\
Each server is held against its manifest: the cases among its [[known_failures]] have to fail, and all others to pass.

A case is a request or more, in raw bytes, and the answers that are right. It fails as `smuggling` when a request was answered \
that is hidden within another, as `wrong` when a rule is broken, and as `strict` when the RFCs leave the choice and the \
endpoint does not. Without --conformance only the endpoint's own cases are asked. A floor is not a server but the line that \
servers are held against: it is asked the same request again and again, and is left out with --conformance.

Examples:
  bench verify hyper threads
      do these answer as the endpoint should?
  bench verify --conformance
      do all keep the rules of HTTP/1.1? With a table by subject
  bench verify http-server --conformance --all
      also what is known to fail, each with the reason
  bench verify --conformance --server-dir ~/mine
      one of yours, which lies in a folder of its own
  bench verify --conformance --address 127.0.0.1:8080
      and one that somebody else has started?

Exit codes: 0 each server is as its manifest says; 1 one is not, either way, or could not be asked, and with --address a case \
failed; 2 wrong usage; 130 interrupted.";

pub(super) const DRILL: &str = "\
Each drill starts a server, has it suffer one kind of trouble, and ends with a figure or with what went wrong. All of them take \
two minutes a server. No figure is a speed. A server fails as known when its manifest has `drill/NAME` among its [[known_failures]]. A \
floor, which is not a server, is left out.

With --keep each finding is a line in the folder's drills.jsonl when it is made. Of a server that is drilled twice the later \
finding counts.

Examples:
  bench drill --list
      what each drill does
  bench drill --servers threads --drills kill,idle
      two of them with one server
  bench drill --short
      all of them in small with every server, as the tests do
  bench drill --server-dir ~/mine
      all of them with one of yours, which lies in a folder of its own
  bench drill --servers hyper,threads --keep results/before
      and have the findings in a measurement's report

Exit codes: 0 each server is as its manifest says; 1 one is not, either way, or could not be built; 2 wrong usage; \
130 interrupted.";

pub(super) const MICROBENCH: &str = "\
Criterion does the work, in the checkout, and draws pages. Shown are the benchmarks that this run has made: the median time of a \
piece, such as a request, its 95 % interval, and how many that are a second. All of them take three minutes once they are built.

With --keep the figures are in the folder's code.json. The report has them beside the CPU time that a server used for a request.

With --save they are in criterion-saved/NAME.json in the target folder. A name that is taken is an error, and nothing runs: remove \
its file to use it anew. With --against NAME the table has each time beside the saved one, and says which are faster or slower. \
The exit code does not.

Examples:
  bench microbench connection
      what a request costs in our own code
  bench microbench --keep results/before
      all of them, for a measurement's report
  bench microbench answer --save before
  bench microbench answer --against before
      what a change does to the cost of an answer

Exit codes: 0 the figures are printed, 1 a benchmark failed or could not be built, 2 wrong usage, 130 interrupted.";

pub(super) const MEASURE: &str = "\
Servers get one half of the cores, the load tool the other, and where there are more than two the harness keeps to one that is \
neither's. A floor, which is not a server but the line that they are held against, is run among them. Repetitions are the outer \
loop, and servers are shuffled in each. Every run is a line in measurements.jsonl when it is made, so nothing that was measured is \
lost, whatever happens. The tables go to standard output and into the result folder.

Ctrl-C ends a measurement, reports what there is, and leaves nothing running; `bench measure --resume DIR` goes on with it. A \
second Ctrl-C does not wait for the report. `bench list workloads` says what can be measured and how long it takes, `bench doctor` \
whether this machine is quiet enough, and METHODOLOGY.md what the figures mean.

With --address a server is measured that runs already. It is asked, and its process is read, but it is not started, pinned, given \
cores or ended: its cores are its owner's, it is warm from the run before, and workloads that start a server leave it out. It has to \
answer as ours do, and is sent the conformance cases, too.

Examples:
  bench measure quick
      a first answer, in minutes
  bench measure article
      the article's three scenarios on every server, with a verdict
  bench measure article-5s-1 --servers hyper,actix --repetitions 5
      one workload, two servers, more repetitions
  bench measure quick --server-dir ~/mine --servers hyper
      one of yours, which lies in a folder of its own, beside one of ours
  bench measure quick --address 127.0.0.1:8080 --pid 4711 --as \"mine 1.2\" --servers hyper
      one that you have started, beside one of ours
  bench measure quick --cross-check wrk
      two tools have to agree
  bench measure quick --quiet > tables.txt
      nothing but warnings on the terminal
  bench measure --resume bench/results/20260101T120000Z-host
      go on with what was interrupted

Exit codes: 0 every run has figures, or lacks a tool or a program that this machine has not got; 1 a run failed; 2 wrong usage; \
130 interrupted.";

pub(super) const REPORT: &str = "\
A report is made from the records alone, as often as you like, also of a measurement that still runs, that was interrupted, or \
that another machine has made. `bench measure` ends with one, and leaves every form of it, the page and its charts among them, \
in DIR/report. With --baseline ratios are to the server of that name, paired by repetition, in every table \
whose figures can be held against each other; what is stored, and DIR/report, stay as they are.

Examples:
  bench report results/before
      the sentences and tables again
  bench report bench/results/LAST
      those of what was measured last
  bench report results/before --format markdown
      for an issue or a README
  bench report results/before --baseline nethttp
      every ratio to the server that you run today
  bench report results/before --format html --output a.html
      a page to send to a colleague
  bench report results/before --format csv | column -ts,
      a line a figure, for other programs

Exit codes: 0 the report is made, 1 the folder cannot be read or the file not be written, 2 wrong usage.";

pub(super) const EXPLAIN: &str = "\
A request's CPU time is told in parts: what the kernel takes at least, which is what the floor takes under the same load; the \
switches between threads that a server has more than the floor; its framework; and our own code. The last two are by the \
microbenchmarks that its manifest names in [costs]. What is left is unexplained, or, of a server without [costs], its runtime and \
code, not told apart. Explained are closed loops whose requests come one at a time over connections that are kept.

It needs a measurement that has the floor, as `bench measure quick` makes one, and microbenchmarks beside it, which `bench \
microbench --keep DIR` makes. The report has the same as a section.

Examples:
  bench explain bench/results/LAST
      where does a request's time go, in what was measured last?
  bench explain results/before --format html --output explained.html
      the same with charts

Exit codes: 0 the parts are printed, 1 the folder cannot be read or lacks what it needs, or the file cannot be written, 2 wrong \
usage.";

pub(super) const COMPARE: &str = "\
Each server is held against itself under each workload and tool that both folders have. Compared are CPU time a request; \
requests/s where the server used its cores up in both, as they are a fact about the tool otherwise; the 99th percentile of open \
loops whose rates were held and are the same but for 10 %; the time to the first answer; and memory a connection.

A figure is worse, or better, when both folders have five repetitions or more, the interval of the ratio of B to A leaves \
out 1, and the median ratio lies beyond what a server differs from itself in either folder (the A/A control). Otherwise it is \
the same: the two cannot be told apart. A server that worked in A and has no figures in B, or failed requests, is broken; what is \
invalid or was disturbed for another reason is not judged. The machine, too, is another from day to day, and no control knows \
of that: measure A and B soon after each other. Twice the CPU time is worse by 100 %, half the requests/s by 50 %.

Examples:
  bench compare bench/results/20260101T120000Z-host bench/results/20260102T120000Z-host
      did anything get worse?
  bench compare results/main results/branch --fail-above 5
      for CI: small losses are let through

Exit codes: 0 no figure is worse by more than --fail-above, as medians go, also where nothing could be compared; 1 one is, a \
server is broken, or a folder cannot be read; 2 wrong usage.";

pub(super) const HISTORY: &str = "\
Each measurement is held against the one before it on the same machine, as `bench compare` does. How figures went is drawn on \
a page, DIR/history.html.

Examples:
  bench history
      every measurement in bench/results
  bench history results --format csv
      those in another folder, for other programs

Exit codes: 0 the list is printed, 1 a folder cannot be read, 2 wrong usage.";

pub(super) const RECORD: &str = "\
Keeps the records that the answer comes from in bench/recorded, draws the picture there, and writes the part of README.md \
that shows them. `scripts/record` measures before.

Examples:
  bench record bench/results/20260101T120000Z-host

Exit codes: 0 README.md has the figures, 1 the folder cannot be read or a file not be written, 2 wrong usage.";

pub(super) const SERVE: &str = "\
Flags that follow the name are the server's own, as are its exit code and what it prints; `bench serve NAME -- --help` lists them. \
Ctrl-C ends it.

Examples:
  bench serve threads --port 8080
      then `curl -i localhost:8080/abc` in another terminal
  bench serve hyper --port 8080 --workers 2
      on two threads
  bench serve --server-dir ~/mine mine --port 8080
      one of yours, which lies in a folder of its own
  bench serve nethttp --version
      the server's version and its runtime's

Exit codes: the server's; 1 it is unavailable or cannot be built, 2 wrong usage.";

pub(super) const DOCTOR: &str = "\
Each line begins with a word: `ok`; `note`, what is worth knowing; `lacks`, what this machine has not got, with how to get it; \
and `bad`, what spoils figures, with what to do about it. Nothing is built, and nothing is changed.

For three seconds it looks at who uses the cores: first it rests and counts the time that others take, then it keeps each core \
busy for a second and finds out for how long it was taken away. Do not run it beside a measurement.

Examples:
  bench doctor
      before the first measurement, and before one that counts

Exit codes: 0 a measurement can be made, however busy the machine is; 1 no server or no load tool is ready; 2 wrong usage; \
130 interrupted.";

pub(super) const COMPLETIONS: &str = "\
Examples:
  bench completions bash > ~/.local/share/bash-completion/completions/bench
  bench completions zsh > ~/.zfunc/_bench
      with `fpath+=~/.zfunc` before `compinit` in ~/.zshrc
  bench completions fish > ~/.config/fish/completions/bench.fish

Exit codes: 0 the script is printed, 2 wrong usage.";

pub(super) const MAN: &str = "\
Examples:
  bench man | man -l -
      read the page of `bench` itself
  bench man --out ~/.local/share/man/man1
      a page a command, such as `man bench-measure`; the folder is made if it is not there

Exit codes: 0 the pages are written, 1 they cannot be, 2 wrong usage.";

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use crate::cli::Arguments;

    /// Every command, and what stands below its flags.
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

    /// The words of an example, as a shell would hand them over: what is redirected or piped is the shell's, and what is quoted is
    /// one word.
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
    fn every_command_has_examples_that_can_be_typed_and_says_its_exit_codes() {
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
    fn the_flags_do_not_contradict_each_other() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn what_is_gone_on_with_is_what_was_begun() {
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
            // How much is said is not a part of what is measured.
            assert_eq!(Arguments::try_parse_from(words).is_ok(), name == "--quiet", "{name}");
        }
    }
}
