//! Looking up names that the user typed, with a suggestion for one that is unknown.

use anyhow::{anyhow, bail};

/// A name is suggested from this similarity on (Jaro-Winkler, 0 to 1): suggestions below it puzzle
/// more than they help.
const SIMILAR: f64 = 0.7;

/// The item of `items` called `wanted`. Fails with a suggestion when there is none.
pub fn find<'a, T>(
    kind: &str,
    wanted: &str,
    items: &'a [T],
    name: impl Fn(&T) -> &str,
) -> anyhow::Result<&'a T> {
    items.iter().find(|item| name(item) == wanted).ok_or_else(|| {
        let known: Vec<&str> = items.iter().map(&name).collect();
        anyhow!("unknown {kind} `{wanted}`: {}", suggest(wanted, &known))
    })
}

/// Fails when two of `names` are equal.
pub fn all_different<'a>(kind: &str, names: impl IntoIterator<Item = &'a str>) -> anyhow::Result<()> {
    let mut seen = std::collections::BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            bail!("{kind} `{name}` is named twice");
        }
    }
    Ok(())
}

/// A suggestion, as the end of an error: `did you mean …?`, or all known names.
pub fn suggest(wanted: &str, known: &[&str]) -> String {
    match nearest(wanted, known) {
        _ if known.is_empty() => "there is none".into(),
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => format!("there are {}", known.join(", ")),
    }
}

/// The known name that is most similar, if it is similar enough.
pub fn nearest<'a>(wanted: &str, known: &[&'a str]) -> Option<&'a str> {
    let similarity = |name: &&str| strsim::jaro_winkler(wanted, name);
    let nearest = known.iter().copied().max_by(|a, b| similarity(a).total_cmp(&similarity(b)))?;
    (similarity(&nearest) >= SIMILAR).then_some(nearest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_the_most_similar_name() {
        let known = ["threads", "hyper", "actix"];
        assert_eq!(suggest("hypr", &known), "did you mean `hyper`?");
        assert_eq!(suggest("zzz", &known), "there are threads, hyper, actix");
        assert_eq!(suggest("zzz", &[]), "there is none");
        let error = find("server", "thread", &known, |name| name).unwrap_err();
        assert_eq!(error.to_string(), "unknown server `thread`: did you mean `threads`?");
        assert!(all_different("server", known).is_ok());
        assert!(all_different("server", ["a", "b", "a"]).is_err());
    }
}
