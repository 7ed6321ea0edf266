//! Packed histograms, added up. The library makes a whole histogram of each: an hour in nanoseconds has 34,000 classes, of which
//! a run fills some hundreds, and thousands of runs take more than a second by it. Here only what is filled is touched.
//!
//! The format is HdrHistogram's own of version 2, as `encodeIntoCompressedByteBuffer` of its Java original writes it: base64 of
//! a head and a zlib stream of another head and the counts.

use std::io::Read;

use anyhow::{Context, ensure};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flate2::bufread::ZlibDecoder;

/// What a packed histogram begins with; its length follows.
const OUTER: [u8; 4] = [0x1c, 0x84, 0x93, 0x14];

/// What is within begins with; its length follows.
const INNER: [u8; 4] = [0x1c, 0x84, 0x93, 0x13];

/// No offset, three digits, from 1 on: where a class lies follows from these. The highest value follows, and says only where
/// classes end.
const CLASSES: [u8; 16] = [0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 1];

/// Bytes before the counts: the two above with a length between, the highest value, and a ratio that is 1.
const HEAD: usize = 40;

/// The most that a number takes.
const NUMBER: usize = 9;

/// How many times fall into each of so many classes; an error when a histogram is damaged.
pub(super) fn sum(packed: &[&str], classes: usize) -> anyhow::Result<Vec<u64>> {
    let mut counts = vec![0; classes];
    for packed in packed {
        let bytes = BASE64_STANDARD.decode(packed).context("a histogram is no base64")?;
        add(&bytes, &mut counts).context("a histogram is damaged")?;
    }
    Ok(counts)
}

fn add(bytes: &[u8], counts: &mut [u64]) -> anyhow::Result<()> {
    let stream = bytes.strip_prefix(&OUTER).and_then(|rest| rest.get(4..)).context("it begins otherwise")?;
    let mut inner = Vec::new();
    // Whatever the stream says, it is no longer than all classes.
    let longest = HEAD + NUMBER * counts.len();
    ZlibDecoder::new(stream).take(longest as u64).read_to_end(&mut inner)?;
    let head =
        inner.split_at_checked(HEAD).filter(|(head, _)| head.starts_with(&INNER) && head[8..24] == CLASSES);
    let (_, mut numbers) = head.context("it has other classes")?;
    let mut class = 0_usize;
    while !numbers.is_empty() {
        let number = number(&mut numbers).context("it ends within a number")?;
        // So many classes without a time, or a class.
        let Ok(count) = u64::try_from(number) else {
            class = class.saturating_add(usize::try_from(number.unsigned_abs())?);
            continue;
        };
        let sum = counts.get_mut(class).context("it has too many classes")?;
        *sum = sum.saturating_add(count);
        class += 1;
    }
    ensure!(class <= counts.len(), "it has too many classes");
    Ok(())
}

/// The next number: seven bits a byte, the lowest first, and all eight of a ninth byte; of the number the lowest bit is the sign.
fn number(bytes: &mut &[u8]) -> Option<i64> {
    let mut bits = 0;
    for place in 0..NUMBER {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let is_last = place == NUMBER - 1 || byte & 0x80 == 0;
        let own = if place == NUMBER - 1 { *byte } else { byte & 0x7f };
        bits |= u64::from(own) << (7 * place);
        if is_last {
            break;
        }
    }
    Some((bits >> 1).cast_signed() ^ -(bits & 1).cast_signed())
}

#[cfg(test)]
mod tests {
    use hdrhistogram::Histogram;
    use hdrhistogram::serialization::{Deserializer, Serializer, V2DeflateSerializer};

    use super::*;

    const HOUR: u64 = 3_600_000_000_000;

    fn packed(times: &Histogram<u64>) -> String {
        let mut bytes = Vec::new();
        V2DeflateSerializer::new().serialize(times, &mut bytes).unwrap();
        BASE64_STANDARD.encode(bytes)
    }

    fn histogram(highest: u64, digits: u8, values: &[(u64, u64)]) -> Histogram<u64> {
        let mut times = Histogram::new_with_bounds(1, highest, digits).unwrap();
        values.iter().for_each(|(value, count)| times.record_n(*value, *count).unwrap());
        times
    }

    /// What the library reads is what is read here.
    #[test]
    fn counts_are_those_of_the_library() {
        let cases = [
            ("none", HOUR, vec![]),
            ("the first and the last class", HOUR, vec![(1, 1), (HOUR, 1)]),
            ("counts of all lengths", HOUR, (0..62).map(|bit| (1 << (bit / 2), 1 << bit)).collect()),
            ("neighbours", HOUR, (0..5000).map(|value| (value * 37, value)).collect()),
            ("far apart", HOUR, (1..2000).map(|value| (value * value * value, 3)).collect()),
            ("another highest value", 10_000_000, (1..5000).map(|value| (value * 999, 7)).collect()),
        ];
        let classes = histogram(HOUR, 3, &[]).distinct_values();
        for (name, highest, values) in cases {
            let packed = packed(&histogram(highest, 3, &values));
            let bytes = BASE64_STANDARD.decode(&packed).unwrap();
            let read: Histogram<u64> = Deserializer::new().deserialize(&mut bytes.as_slice()).unwrap();
            let mut expected: Vec<u64> = read.iter_all().map(|class| 2 * class.count_at_value()).collect();
            expected.resize(classes, 0);
            assert!(sum(&[&packed, &packed], classes).unwrap() == expected, "{name}");
        }
    }

    #[test]
    fn damage_is_an_error() {
        let whole = packed(&histogram(HOUR, 3, &[(1, 1), (HOUR, 1)]));
        let cases = [
            ("no base64", "no!".to_owned(), "no base64"),
            ("nothing", String::new(), "it begins otherwise"),
            (
                "another beginning",
                whole.replacen("HIST", "HIST".to_lowercase().as_str(), 1),
                "it begins otherwise",
            ),
            ("a stream that ends early", whole[..whole.len() / 8 * 4].to_owned(), "damaged"),
            ("other digits", packed(&histogram(HOUR, 2, &[(1, 1)])), "it has other classes"),
            (
                "too many classes",
                packed(&histogram(HOUR * 1000, 3, &[(HOUR * 1000, 1)])),
                "it has too many classes",
            ),
        ];
        let classes = histogram(HOUR, 3, &[]).distinct_values();
        for (name, packed, expected) in cases {
            let error = format!("{:#}", sum(&[&packed], classes).unwrap_err());
            assert!(error.contains(expected), "{name}: {error}");
        }
    }
}
