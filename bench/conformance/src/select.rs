//! Selects the cases to play.

use crate::case::Case;
use crate::retarget::retarget;
use crate::target::Target;

/// Returns the cases whose name matches a pattern of `only`, or all cases if it is empty. In a
/// pattern `*` stands for any part of a name. Leaves out cases that do not fit the target. Fails
/// when a pattern matches no case.
pub fn select(all: &[Case], only: &[String], target: &Target) -> Result<Vec<Case>, String> {
    for pattern in only {
        if !all.iter().any(|case| is_like(case.name, pattern)) {
            return Err(format!("there is no case `{pattern}`; `*` stands for any part of a name"));
        }
    }
    let is_chosen = |case: &&Case| only.is_empty() || only.iter().any(|pattern| is_like(case.name, pattern));
    Ok(all.iter().filter(is_chosen).filter_map(|case| retarget(case, target)).collect())
}

/// Whether a name matches a pattern.
fn is_like(name: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => name == pattern,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|name| {
            name.char_indices().map(|(at, _)| at).chain([name.len()]).any(|at| is_like(&name[at..], rest))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_are_chosen_by_name_and_by_pattern() {
        let count = |only: &[&str]| {
            let only: Vec<String> = only.iter().map(|name| (*name).to_owned()).collect();
            select(&crate::cases(), &only, &Target::Greeting).map(|cases| cases.len())
        };
        let of_subject = crate::cases().iter().filter(|case| case.subject() == "host").count();
        assert_eq!(count(&[]), Ok(crate::cases().len()));
        assert_eq!(count(&["host/missing"]), Ok(1));
        assert_eq!(count(&["host/*"]), Ok(of_subject));
        assert_eq!(count(&["host/*", "host/missing", "*"]), Ok(crate::cases().len()));
        assert_eq!(count(&["*/missing"]), Ok(2));
        assert!(count(&["host"]).unwrap_err().contains("no case `host`"));
        assert!(count(&["host/*x*y"]).is_err());
    }
}
