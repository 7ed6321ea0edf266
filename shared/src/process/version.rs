//! The text that `--version` prints.

/// Name and version of each crate in `Cargo.lock`, and of the compiler as `std`, from `build.rs`.
const VERSIONS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/versions.rs"));

/// Returns a server's own version, then its runtime's: `0.1.0 (hyper 1.12.0, tokio 1.54.1)`.
///
/// `std` stands for the standard library, which has the compiler's version. If `Cargo.lock` has
/// several versions of a crate, all of them are named, so that the line is never wrong.
pub fn version(own: &str, runtime: &[&str]) -> String {
    let with_version = |name: &&str| {
        let found: Vec<_> =
            VERSIONS.iter().filter(|(known, _)| known == name).map(|(_, version)| *version).collect();
        format!("{name} {}", if found.is_empty() { "unknown".to_owned() } else { found.join(" or ") })
    };
    format!("{own} ({})", runtime.iter().map(with_version).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn names_the_versions_that_were_locked() {
        let line = version("0.1.0", &["std", "mimalloc"]);
        assert!(line.starts_with("0.1.0 (std 1."), "{line}");
        assert!(line.contains(", mimalloc 0."), "{line}");
        assert_eq!(version("1", &["no-such-crate"]), "1 (no-such-crate unknown)");
    }
}
