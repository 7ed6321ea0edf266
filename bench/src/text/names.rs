//! What to say of a name that nobody has.

use anyhow::{anyhow, bail};

/// Names closer than this are offered: below it the offer is more puzzling than helpful.
const CLOSE_ENOUGH: f64 = 0.7;

/// The item of `items` called `wanted`; otherwise an error that offers the nearest name, or all.
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

/// An error when two of `names` are equal.
pub fn all_different<'a>(kind: &str, names: impl IntoIterator<Item = &'a str>) -> anyhow::Result<()> {
    let mut seen = std::collections::BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            bail!("{kind} `{name}` is named twice");
        }
    }
    Ok(())
}

/// The end of a sentence that offers a name: `did you mean …?`, or a list of what there is.
pub fn suggest(wanted: &str, known: &[&str]) -> String {
    match nearest(wanted, known) {
        _ if known.is_empty() => "there is none".into(),
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => format!("there are {}", known.join(", ")),
    }
}

/// The name that was perhaps meant, where one is close enough.
pub fn nearest<'a>(wanted: &str, known: &[&'a str]) -> Option<&'a str> {
    let closeness = |name: &&str| strsim::jaro_winkler(wanted, name);
    let nearest = known.iter().copied().max_by(|a, b| closeness(a).total_cmp(&closeness(b)))?;
    (closeness(&nearest) >= CLOSE_ENOUGH).then_some(nearest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_the_nearest_name() {
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
