//! The share of one process in a load that several processes make together.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One of several equal shares of a load, written as `2/5` for the second of five.
///
/// Requests, arrivals and connections are divided by their numbers, from 0: the share `I/N` has
/// those whose remainder by N is I − 1. So each number is in exactly one share, and the parts add
/// up to the whole.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Share {
    /// The position of the share, from 0.
    index: u32,
    /// The number of shares, which is more than `index`.
    count: u32,
}

impl Share {
    /// The whole load.
    pub const WHOLE: Self = Self { index: 0, count: 1 };

    /// The share with this number, from 1, of `count`. `None` when there is no such share.
    pub fn new(number: u32, count: u32) -> Option<Self> {
        (1..=count).contains(&number).then(|| Self { index: number - 1, count })
    }

    /// All of `count` shares, in order.
    pub fn all(count: u32) -> impl Iterator<Item = Self> {
        (0..count).map(move |index| Self { index, count })
    }

    /// The number of the share, from 1.
    pub fn number(self) -> u32 {
        self.index + 1
    }

    /// The number of shares.
    pub fn count(self) -> u32 {
        self.count
    }

    /// The number of connections, requests or arrivals of this share, of `whole` in the load.
    pub fn part_of(self, whole: u64) -> u64 {
        let (index, count) = (u64::from(self.index), u64::from(self.count));
        whole / count + u64::from(index < whole % count)
    }

    /// The lowest of the numbers in this share.
    pub fn first(self) -> u64 {
        self.index.into()
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers =
            text.split_once('/').and_then(|(number, count)| number.parse().ok().zip(count.parse().ok()));
        let share = numbers.and_then(|(number, count)| Self::new(number, count));
        share.ok_or_else(|| "it has to be I/N, with I from 1 to N, such as 2/5".to_owned())
    }
}

impl TryFrom<String> for Share {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Share> for String {
    fn from(share: Share) -> Self {
        share.to_string()
    }
}

impl fmt::Display for Share {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.number(), self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_read_as_it_is_written() {
        for text in ["1/1", "2/5", "5/5", "4294967295/4294967295"] {
            assert_eq!(text.parse::<Share>().unwrap().to_string(), text);
            let json = format!("\"{text}\"");
            let share: Share = serde_json::from_str(&json).unwrap();
            assert_eq!(serde_json::to_string(&share).unwrap(), json);
        }
        for text in ["", "/", "1", "0/2", "3/2", "0/0", "-1/2", "1/2/3", "1 / 2", "a/b", "1/4294967296"] {
            let reason = text.parse::<Share>().unwrap_err();
            assert!(reason.contains("I from 1 to N"), "{text}: {reason}");
        }
    }

    #[test]
    fn parts_add_up_to_the_whole() {
        for (whole, expected) in [(11, [4, 4, 3]), (3, [1, 1, 1]), (2, [1, 1, 0]), (0, [0, 0, 0])] {
            let parts: Vec<u64> = Share::all(3).map(|share| share.part_of(whole)).collect();
            assert_eq!(parts, expected, "{whole}");
        }
    }
}
