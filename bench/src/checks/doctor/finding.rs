//! A finding about the machine, and its level.

use std::fmt::Display;

/// A finding about the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub level: Level,
    /// The finding, and what to do about it if anything can be done.
    pub text: String,
}

/// How good or bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Ok,
    /// A reader of figures should know this.
    Note,
    /// Something is missing on this machine.
    Lacks,
    /// Figures are wrong because of this.
    Bad,
}

impl Level {
    /// The word at the start of a line.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Lacks => "lacks",
            Self::Bad => "bad",
        }
    }

    pub(super) fn finding(self, text: impl Into<String>) -> Finding {
        Finding { level: self, text: text.into() }
    }

    /// Returns a finding of the level `Ok` with `text` alone if `is_fine`. Otherwise returns a
    /// finding of this level with `text` and `advice`.
    pub(super) fn unless(self, is_fine: bool, text: String, advice: impl Display) -> Finding {
        if is_fine { Self::Ok.finding(text) } else { self.finding(format!("{text}{advice}")) }
    }
}

pub(crate) fn is_any_ready(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.level == Level::Ok)
}

#[cfg(test)]
pub(super) fn assert_finding(finding: &Finding, (level, part): (Level, &str)) {
    assert!(finding.level == level && finding.text.contains(part), "{level:?} {part}: {finding:?}");
}
