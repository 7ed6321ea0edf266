//! The order of the kinds of requests.
//!
//! The kind of each request depends only on its number. The next kind is always the one with the
//! largest deficit from its share, which spreads every kind evenly:
//!
//! ```text
//! shares 0.7, 0.2 and 0.1:  0 0 1 0 0 2 0 0 1 0   0 0 1 0 0 2 0 0 1 0   …
//! ```
//!
//! The order has a period, after which each share is exact. Every thread sends all kinds in this
//! order, so that no kind is limited to the connections of one thread. The threads begin at equal
//! distances within the period, so that they do not send the same kind at the same time.

use super::kind::{PARTS, RequestKind};
use super::schedule::ThreadShare;

/// The kinds of requests, and the period of their order.
pub(super) struct Mix {
    pub(super) kinds: Vec<RequestKind>,
    /// The kind of each request: 0 is plain, and the kinds of `kinds` follow.
    period: Box<[u8]>,
}

/// The position of one thread in the order.
pub(super) struct Turns<'a> {
    period: &'a [u8],
    next: usize,
}

impl Mix {
    /// Fails when the shares add up to more than 1, there are too many kinds, or two have one name.
    pub(super) fn new(kinds: &[RequestKind]) -> Result<Self, String> {
        for (number, kind) in kinds.iter().enumerate() {
            if kinds[..number].iter().any(|other| other.name == kind.name) {
                return Err(format!("there are two kinds with name={}", kind.name));
            }
        }
        if kinds.len() > usize::from(u8::MAX) {
            return Err(format!("there are more than {} kinds", u8::MAX));
        }
        let sum: u64 = kinds.iter().map(|kind| u64::from(kind.parts)).sum();
        let Some(plain) = u64::from(PARTS).checked_sub(sum) else {
            let sum: f64 = kinds.iter().map(RequestKind::share).sum();
            return Err(format!("the shares add up to {sum:.4}, which is more than 1"));
        };
        let parts: Vec<u64> = [plain].into_iter().chain(kinds.iter().map(|kind| kind.parts.into())).collect();
        Ok(Self { kinds: kinds.to_vec(), period: period(&parts) })
    }

    /// The names and shares of all kinds, and their expected statuses, with the plain one first.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, f64, u16)> {
        let sum: u16 = self.kinds.iter().map(|kind| kind.parts).sum();
        let plain = f64::from(PARTS - sum) / f64::from(PARTS);
        let others = self.kinds.iter().map(|kind| (kind.name.as_str(), kind.share(), kind.status));
        [(super::kind::PLAIN, plain, 200)].into_iter().chain(others)
    }

    pub(super) fn turns(&self, share: ThreadShare) -> Turns<'_> {
        let (number, count) = share.place();
        let length = self.period.len();
        let next = usize::try_from(number * length as u64 / count).unwrap_or(0);
        Turns { period: &self.period, next }
    }
}

impl Turns<'_> {
    /// The kind of the next request.
    pub(super) fn next(&mut self) -> usize {
        let kind = self.period[self.next];
        self.next += 1;
        if self.next == self.period.len() {
            self.next = 0;
        }
        kind.into()
    }
}

/// The order of the kinds in one period, after which each share is exact.
fn period(parts: &[u64]) -> Box<[u8]> {
    let divisor = parts.iter().copied().fold(0, greatest_common_divisor);
    let length: u64 = parts.iter().sum::<u64>() / divisor;
    // The deficit of each kind, in units of 1 / `length` of a request.
    let mut lacks = vec![0_i64; parts.len()];
    let turn = |_| {
        for (lack, parts) in lacks.iter_mut().zip(parts) {
            *lack += (parts / divisor).cast_signed();
        }
        let most = lacks.iter().max().copied().unwrap_or_default();
        let kind = lacks.iter().position(|lack| *lack == most).unwrap_or_default();
        lacks[kind] -= length.cast_signed();
        u8::try_from(kind).unwrap_or_default()
    };
    (0..length).map(turn).collect()
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use visit_output::{Share, as_f64};

    fn mix(shares: &[&str]) -> Result<Mix, String> {
        let kind = |(number, share): (usize, &&str)| format!("name=k{number},share={share},status=405");
        let kinds: Vec<RequestKind> =
            shares.iter().enumerate().map(|kind_of| kind(kind_of).parse().unwrap()).collect();
        Mix::new(&kinds)
    }

    const ONLY: ThreadShare = ThreadShare { process: Share::WHOLE, thread: Share::WHOLE };

    #[test]
    fn the_order_is_fixed() {
        let cases: [(&[&str], &[usize]); 4] = [
            (&["0.2", "0.1"], &[0, 0, 1, 0, 0, 2, 0, 0, 1, 0]),
            (&["0.5"], &[0, 1]),
            (&["1"], &[1]),
            (&["0.25", "0.75"], &[2, 1, 2, 2]),
        ];
        for (shares, expected) in cases {
            let mix = mix(shares).unwrap();
            let mut turns = mix.turns(ONLY);
            let found: Vec<usize> = (0..2 * expected.len()).map(|_| turns.next()).collect();
            assert_eq!(found, [expected, expected].concat(), "{shares:?}");
        }
    }

    #[test]
    fn shares_are_exact_in_any_window() {
        for shares in
            [&["0.1"][..], &["0.2", "0.1"], &["0.01", "0.01", "0.3"], &["0.0001"], &["0.3333", "0.5"]]
        {
            let mix = mix(shares).unwrap();
            let period = mix.period.len();
            for (kind, (_, share, _)) in mix.all().enumerate() {
                // The surplus of the kind before each request. In a window, the kind differs from
                // its share by the difference between two of these.
                let mut had = 0;
                let deviations: Vec<f64> = (0..=2 * period)
                    .map(|number| {
                        let deviation = as_f64(had) - share * number as f64;
                        had += u64::from(usize::from(mix.period[number % period]) == kind);
                        deviation
                    })
                    .collect();
                let most = deviations.iter().copied().fold(f64::MIN, f64::max);
                let least = deviations.iter().copied().fold(f64::MAX, f64::min);
                assert!(most - least < 2.0, "{shares:?}: {kind}: {least} to {most}");
                assert!(deviations[period].abs() < 1e-6, "{shares:?}: {kind}");
            }
        }
    }

    #[test]
    fn threads_of_all_processes_begin_apart() {
        let mix = mix(&["0.1"]).unwrap();
        let of = |process, thread| {
            let share = ThreadShare { process, thread };
            mix.turns(share).next
        };
        let mut begins = Vec::new();
        for process in Share::all(2) {
            begins.extend(Share::all(5).map(|thread| of(process, thread)));
        }
        assert_eq!(begins, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }

    #[test]
    fn shares_that_do_not_add_up_are_refused() {
        assert!(mix(&["0.6", "0.4"]).is_ok());
        let error = mix(&["0.6", "0.41"]).err().unwrap();
        assert_eq!(error, "the shares add up to 1.0100, which is more than 1");
        let twice: RequestKind = "name=a,share=0.1,status=405".parse().unwrap();
        let error = Mix::new(&[twice.clone(), twice]).err().unwrap();
        assert_eq!(error, "there are two kinds with name=a");
    }
}
