//! Parsers for the values of flags.

use std::convert::Infallible;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::report::format::Format;
use crate::servers::client;
use crate::store::record::Protocol;

/// The last component of a path that stands for the newest result folder in its parent.
const LAST: &str = "LAST";

/// The name and version that the user gives an attached server, which cannot be asked for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The name, made of the characters of a file's name.
    pub name: String,
    /// The version, any text.
    pub version: String,
}

/// How servers are loaded in turn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Slices {
    /// Each server is loaded for this time per turn.
    Of(Duration),
    /// Each server is loaded once, for its whole time.
    None,
}

/// Parses `http/1.1`, `https`, `h2c` or `h2`. Fails on other text.
pub(super) fn protocol(text: &str) -> Result<Protocol, String> {
    let names = Protocol::ALL.map(Protocol::as_str).join(", ");
    let found = Protocol::ALL.into_iter().find(|protocol| protocol.as_str() == text);
    found.ok_or_else(|| format!("it is one of {names}"))
}

/// The shortest slice, in seconds: a hundred round trips of a slow server.
const SHORTEST_SLICE: f64 = 0.01;

/// The longest slice, in seconds: longer ones do not cancel the drift of a machine.
const LONGEST_SLICE: f64 = 10.0;

/// The widest interval that may be asked for, in percent: ten times its median.
const WIDEST: f64 = 1000.0;

/// The longest budget, in minutes.
const A_WEEK: f64 = 7.0 * 24.0 * 60.0;

/// The length of a slice, or `none`. Fails on other text.
pub(super) fn slices(text: &str) -> Result<Slices, String> {
    match text.parse::<f64>() {
        _ if text == "none" => Ok(Slices::None),
        Ok(seconds) if (SHORTEST_SLICE..=LONGEST_SLICE).contains(&seconds) => {
            Ok(Slices::Of(Duration::from_secs_f64(seconds)))
        }
        _ => Err(format!("it is a number of seconds from {SHORTEST_SLICE} to {LONGEST_SLICE}, or `none`")),
    }
}

/// Parses a format. Those for services are excluded: only the report of a measurement has them.
pub(super) fn form_of_document() -> impl TypedValueParser<Value = Format> {
    let names = Format::FILES.iter().filter_map(|(format, _)| format.to_possible_value());
    let known = |name: String| Format::from_str(&name, false);
    PossibleValuesParser::new(names.collect::<Vec<_>>()).try_map(known)
}

/// A percentage of 0 or more. Fails on other text.
pub(super) fn percent(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(percent) if percent.is_finite() && percent >= 0.0 => Ok(percent),
        _ => Err("it is a number that is 0 or more, such as 5 or 2.5".into()),
    }
}

/// Parses a percentage above 0, with or without `%`, as a share. Fails on other text.
pub(super) fn width(text: &str) -> Result<f64, String> {
    match text.trim_end_matches('%').trim_end().parse::<f64>() {
        Ok(percent) if percent > 0.0 && percent <= WIDEST => Ok(percent / 100.0),
        _ => Err(format!("it is more than 0 and at most {WIDEST} percent, such as 2%")),
    }
}

/// Minutes. Fails on other text.
pub(super) fn minutes(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(minutes) if minutes > 0.0 && minutes <= A_WEEK => Ok(Duration::from_secs_f64(minutes * 60.0)),
        _ => Err(format!("it is a number of minutes, more than 0 and at most {A_WEEK}")),
    }
}

/// Parses a name that is safe as a file name. Fails on other text.
pub(super) fn saved_name(text: &str) -> Result<String, String> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if text.is_empty() || text.starts_with('.') || !text.bytes().all(is_allowed) {
        return Err("it is made of letters, digits, `-`, `_` and `.`, and does not begin with `.`".into());
    }
    Ok(text.to_owned())
}

/// A name and a version, separated by a space. Fails when one is missing.
pub(super) fn label(text: &str) -> Result<Label, String> {
    let (name, version) = text.trim().split_once(' ').unwrap_or((text, ""));
    if version.trim().is_empty() {
        return Err(
            "it is a name and a version, such as \"mine 1.2\": nothing is measured without a version".into(),
        );
    }
    Ok(Label { name: saved_name(name)?, version: version.trim().into() })
}

/// Parses the path of a request. Fails on other text.
pub(super) fn path(text: &str) -> Result<String, String> {
    let is_path = text.starts_with('/') && text.bytes().all(|byte| byte.is_ascii_graphic());
    if is_path { Ok(text.to_owned()) } else { Err("a path begins with `/`, and has no spaces".into()) }
}

/// Returns the first address of `HOST:PORT` that accepts a connection, or else the first. Fails
/// when the name has no address.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    let addresses =
        text.to_socket_addrs().map_err(|error| format!("{error}; it looks like 127.0.0.1:8080"))?;
    client::accepting(&addresses.collect::<Vec<_>>()).ok_or_else(|| "the name has no address".into())
}

/// Parses a result folder: a path, or `bench/results/LAST` for the one that was begun last.
pub(super) fn results(text: &str) -> Result<PathBuf, Infallible> {
    let path = Path::new(text);
    let last = || newest(path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new(".")));
    let is_meant = path.ends_with(LAST) && !path.exists();
    Ok(is_meant.then(last).flatten().unwrap_or_else(|| path.to_owned()))
}

fn newest(folder: &Path) -> Option<PathBuf> {
    // This file is written when a measurement begins, and not again.
    let begun = |result: &Path| result.join("machine.json").metadata().and_then(|file| file.modified()).ok();
    let results = folder.read_dir().ok()?.filter_map(|entry| {
        let result = entry.ok()?.path();
        Some((begun(&result)?, result))
    });
    results.max().map(|(_, result)| result)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn the_last_result_folder_is_the_one_that_was_begun_last() {
        let folder = tempfile::tempdir().unwrap();
        let last = folder.path().join(LAST);
        let last = last.to_str().unwrap();
        assert_eq!(results(last), Ok(last.into()), "an error names it");
        for (name, minutes) in [("a", 2), ("b", 3), ("c", 1)] {
            let result = folder.path().join(name);
            fs::create_dir(&result).unwrap();
            let file = File::create(result.join("machine.json")).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(60 * minutes)).unwrap();
        }
        fs::create_dir(folder.path().join("no result")).unwrap();
        assert_eq!(results(last), Ok(folder.path().join("b")));
        // A folder named `LAST` takes precedence, and any other path is returned as it is.
        fs::create_dir(last).unwrap();
        assert_eq!(results(last), Ok(last.into()));
        assert_eq!(results("no/such/folder"), Ok("no/such/folder".into()));
    }
}
