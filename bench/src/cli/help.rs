//! The text below the flags in each `--help`, a file per command in `help`: how to read the output,
//! examples, and exit codes.
//!
//! An example is a line that begins with two spaces and `bench`, which the tests parse. Its purpose is
//! on the next line, indented further, so that a narrow terminal breaks neither.

/// Returns the text of a file with each paragraph as one line, which clap wraps to the width of the
/// terminal. Indented lines are kept.
pub(super) fn text(file: &str) -> String {
    let mut text = String::new();
    let mut is_in_paragraph = false;
    for line in file.lines() {
        let is_prose = !line.is_empty() && !line.starts_with(' ');
        let between = if is_in_paragraph && is_prose { " " } else { "\n" };
        text += if text.is_empty() { "" } else { between };
        text += line;
        is_in_paragraph = is_prose;
    }
    text
}

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
    fn a_paragraph_is_a_line() {
        let file = "One\ntwo.\n\nThree:\n  bench list\n      four\n  bench man\n\nFive\nsix\n";
        let text = "One two.\n\nThree:\n  bench list\n      four\n  bench man\n\nFive six";
        assert_eq!(super::text(file), text);
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
            // `--quiet` changes what is printed, not what is measured.
            assert_eq!(Arguments::try_parse_from(words).is_ok(), name == "--quiet", "{name}");
        }
    }
}
