//! How a server reads its flags: from its arguments, else from the environment, else the default.
//!
//! A flag such as `--max-connections` has the variable `MAX_CONNECTIONS`. An empty variable counts
//! as unset. An error names what the user gave: the flag, or the variable.

use std::collections::HashMap;
use std::env::VarError;
use std::fmt::{Display, Write};

use anyhow::{anyhow, bail};
use lexopt::Arg::{Long, Short};
use lexopt::ValueExt;

/// A flag as `--help` lists it.
pub struct Flag {
    /// Its name, such as `max-connections`.
    pub name: &'static str,
    /// The name of its value in `--help`. A flag without a value is a switch, and has no variable.
    pub value: Option<&'static str>,
    /// Its description in `--help`. Further lines are printed below the first.
    pub help: &'static str,
    /// Its value when the user gives none.
    pub default: Option<String>,
}

/// The flags of a server: those of the process contract, or more.
pub trait FlagSet: Sized {
    /// Returns all flags, in the order of `--help`.
    fn list() -> Vec<Flag>;

    /// Reads the flags from `values`. Fails when a value is not valid.
    fn read(values: &Values) -> anyhow::Result<Self>;
}

/// The action that the arguments ask for.
pub(super) enum Asked {
    Help,
    Version,
    Run(Values),
}

/// The text of each flag that is given or has a default, before it is parsed.
#[derive(Debug)]
pub struct Values(HashMap<&'static str, Value>);

#[derive(Debug)]
struct Value {
    text: String,
    /// The source of the text, for errors: `--port 1`, or `PORT=1`.
    given: String,
}

impl Flag {
    /// Creates a flag with a value.
    pub const fn new(name: &'static str, value: &'static str, help: &'static str) -> Self {
        Self { name, value: Some(value), help, default: None }
    }

    /// Sets the default.
    #[must_use]
    pub fn with_default(self, default: impl Display) -> Self {
        Self { default: Some(default.to_string()), ..self }
    }

    fn variable(&self) -> String {
        self.name.replace('-', "_").to_uppercase()
    }

    /// Reads the flag's variable. Fails when it is not Unicode.
    fn read_variable(&self) -> anyhow::Result<Option<Value>> {
        let variable = self.variable();
        match std::env::var(&variable) {
            Ok(text) if !text.is_empty() => Ok(Some(Value { given: format!("{variable}={text}"), text })),
            Ok(_) | Err(VarError::NotPresent) => Ok(None),
            Err(VarError::NotUnicode(text)) => Err(anyhow!("{variable}={}: not Unicode", text.display())),
        }
    }
}

impl Values {
    /// Returns the parsed value of a flag, or `None` when it is not given and has no default. Fails
    /// when `parse` does.
    pub fn get<T, E: Display>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> anyhow::Result<Option<T>> {
        let Some(Value { text, given }) = self.0.get(name) else { return Ok(None) };
        parse(text).map(Some).map_err(|why| anyhow!("{given}: {why}"))
    }

    /// The value of a flag that has a default. Fails when `parse` does.
    pub fn required<T, E: Display>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> anyhow::Result<T> {
        self.get(name, parse)?.ok_or_else(|| anyhow!("--{name}: it has no value"))
    }

    /// Whether a switch is given.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

/// Reads the arguments of this process, without its name, and its environment. Fails for a flag that
/// does not exist, and for a value that is missing or not Unicode.
pub(super) fn read(flags: &[Flag], mut arguments: lexopt::Parser) -> anyhow::Result<Asked> {
    let mut values = HashMap::new();
    while let Some(argument) = arguments.next()? {
        let flag = match argument {
            Short('h') | Long("help") => return Ok(Asked::Help),
            Short('V') | Long("version") => return Ok(Asked::Version),
            Long(name) => flags.iter().find(|flag| flag.name == name),
            _ => None,
        };
        let Some(flag) = flag else { bail!("{}; --help lists the flags", argument.unexpected()) };
        let text = if flag.value.is_some() { arguments.value()?.string()? } else { String::new() };
        values.insert(flag.name, Value { given: format!("--{} {text}", flag.name), text });
    }
    for flag in flags.iter().filter(|flag| flag.value.is_some()) {
        let unset = !values.contains_key(flag.name);
        let value = if unset { flag.read_variable()? } else { None };
        let default = || flag.default.clone().map(|text| Value { given: format!("--{}", flag.name), text });
        if let Some(value) = value.or_else(|| default().filter(|_| unset)) {
            values.insert(flag.name, value);
        }
    }
    Ok(Asked::Run(Values(values)))
}

/// Returns the text that `--help` prints.
pub(super) fn help(name: &str, about: &str, flags: &[Flag]) -> String {
    let left = |flag: &Flag| format!("--{} {}", flag.name, flag.value.unwrap_or_default());
    let width = flags.iter().map(|flag| left(flag).len()).max().unwrap_or_default();
    let mut text = format!("{about}\n\nUsage: {name} [OPTIONS]\n\nOptions:\n");
    let mut add = |left: &str, help: &str| {
        for (number, line) in help.lines().enumerate() {
            let left = if number == 0 { left } else { "" };
            // Writing to a string cannot fail.
            let _ = writeln!(text, "  {left:width$}  {line}");
        }
    };
    for flag in flags {
        let default = flag.default.as_ref().map(|default| format!(" [default: {default}]"));
        add(&left(flag), &format!("{}{}", flag.help, default.unwrap_or_default()));
    }
    add("--help", "Print this");
    add("--version", "Print the version");
    text + "\nA flag's variable counts where the flag is not given: MAX_CONNECTIONS for --max-connections.\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> Vec<Flag> {
        vec![
            Flag::new("first-number", "N", "A number").with_default(7),
            Flag::new("second", "TEXT", "A text\nin two lines"),
            Flag { name: "switch", value: None, help: "A switch", default: None },
        ]
    }

    #[test]
    fn reads_flags_in_both_forms_and_names_what_is_wrong() {
        let cases = [
            ("", "Some(7) None false"),
            ("--first-number 1 --second a --switch", "Some(1) Some(\"a\") true"),
            ("--first-number=1 --first-number=2", "Some(2) None false"),
            ("--first-number -1", "--first-number -1: invalid digit found in string"),
            ("--first-number", "missing argument for option '--first-number'"),
            ("--third", "invalid option '--third'; --help lists the flags"),
            ("third", "unexpected argument \"third\"; --help lists the flags"),
            ("--switch=1", "unexpected argument for option '--switch': \"1\""),
            ("--second a --help", "help"),
            ("-V", "version"),
        ];
        for (arguments, expected) in cases {
            let parser = lexopt::Parser::from_args(arguments.split_whitespace());
            let read = read(&list(), parser).and_then(|asked| {
                let Asked::Run(values) = asked else {
                    return Ok(if matches!(asked, Asked::Help) { "help" } else { "version" }.into());
                };
                let number = values.get("first-number", str::parse::<u8>)?;
                let text = values.get("second", |text| Ok::<_, String>(text.to_owned()))?;
                Ok(format!("{number:?} {text:?} {}", values.has("switch")))
            });
            assert_eq!(read.unwrap_or_else(|error| error.to_string()), expected, "{arguments}");
        }
    }

    #[test]
    fn help_aligns_what_flags_are_for() {
        let expected = "About it

Usage: server-x [OPTIONS]

Options:
  --first-number N  A number [default: 7]
  --second TEXT     A text
                    in two lines
  --switch          A switch
  --help            Print this
  --version         Print the version

A flag's variable counts where the flag is not given: MAX_CONNECTIONS for --max-connections.
";
        assert_eq!(help("server-x", "About it", &list()), expected);
    }
}
