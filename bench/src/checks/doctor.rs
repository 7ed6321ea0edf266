//! What this machine has and lacks for a measurement, and whether it is quiet enough for one. Nothing is built or changed.
//!
//! Each part looks at one thing and turns its readings into words by functions that read nothing themselves.

mod limits;
mod parts;
mod quiet;
mod system;

pub use limits::limits;
pub use parts::{optional, servers, tools};
pub use quiet::quietness;
pub use system::system;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How it is to be taken.
    pub level: Level,
    /// What was found and, where something can be done about it, what.
    pub text: String,
}

/// How a finding is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// As it should be.
    Ok,
    /// Worth knowing when figures are read.
    Note,
    /// Not on this machine.
    Lacks,
    /// Spoils figures.
    Bad,
}

impl Level {
    /// The word that a line begins with.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Lacks => "lacks",
            Self::Bad => "bad",
        }
    }

    fn finding(self, text: impl Into<String>) -> Finding {
        Finding { level: self, text: text.into() }
    }
}

/// Whether anything in a list is there to be used.
pub fn is_any_ready(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.level == Level::Ok)
}

/// What a table of tests expects of a finding: its level, and a part of its text.
#[cfg(test)]
fn assert_finding(finding: &Finding, (level, part): (Level, &str)) {
    assert!(finding.level == level && finding.text.contains(part), "{level:?} {part}: {finding:?}");
}
