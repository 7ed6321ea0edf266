//! What a manifest is compared with, beside its own folder.

use std::path::PathBuf;

use crate::servers::target::Target;

/// What a manifest is compared with, beside its own folder.
pub struct CheckContext<'a> {
    /// Every folder of the checkout that has a manifest.
    pub folders: &'a [PathBuf],
    /// Where servers are built.
    pub target: &'a Target,
    /// Whether this machine has a program.
    pub has_program: &'a dyn Fn(&str) -> bool,
    /// The benchmarks that have run here, by their full names.
    pub benchmarks: &'a [String],
}
