//! `bench man`: manual pages, from the text of `--help`.

use std::path::Path;

use anyhow::Context;
use clap::CommandFactory;

use super::{Outcome, print};
use crate::cli::Arguments;

pub(super) fn run(out: Option<&Path>) -> anyhow::Result<Outcome> {
    match out {
        None => print(&page()?),
        Some(folder) => {
            write(folder).with_context(|| format!("--out: cannot write pages into {}", folder.display()))?;
            Ok(Outcome::Fine)
        }
    }
}

/// The page of `bench` itself.
fn page() -> std::io::Result<String> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Arguments::command()).render(&mut page)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

/// A page per command.
fn write(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(Arguments::command(), folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_and_is_named_on_the_page_of_bench() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("man1");
        write(&inner).unwrap();
        // roff text escapes hyphens, so that no line is broken at them.
        let own = page().unwrap().replace("\\-", "-");
        for command in Arguments::command().get_subcommands() {
            let name = format!("bench-{}", command.get_name());
            assert!(own.contains(&format!("{name}(1)")), "{name}: {own}");
            let page = std::fs::read_to_string(inner.join(format!("{name}.1"))).unwrap();
            assert!(page.contains("Examples:") && page.contains("Exit codes:"), "{name}: {page}");
        }
    }
}
