//! Merges the reports of all shares of a load into one report.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};

use super::rate::{Arrived, Rate};
use super::{Errors, Http2, Interval, Kind, Load, Report, Share, TimesReport, Tls};

impl Report {
    /// Merges the reports of all shares of a load, in any order. Counts, errors, bytes, CPU time
    /// and histograms are added exactly, and percentiles are computed from the added histograms.
    ///
    /// `elapsed_seconds` is the time by which the number of answers is divided: from the first
    /// `began_nanoseconds` to the last end. Only the caller can convert these to one clock, since
    /// each share uses the clock of its machine.
    ///
    /// Fields that describe one machine or process are `null`: `share`, `began_nanoseconds`, and
    /// `queue`, since two shares on one machine report the same counters. The URL is taken from the
    /// first share. A rate is held when each share held its part, and all together held the whole.
    ///
    /// Fails when a share is missing or occurs twice, or shares are of different loads or versions.
    pub fn merge(shares: &[Self], elapsed_seconds: f64) -> anyhow::Result<Self> {
        let first = shares.first().context("there is no share to merge")?;
        check(shares, first)?;
        let schedule_lag = times(shares, "schedule_lag", |share| share.schedule_lag.as_ref())?;
        let arrived = |target| Arrived {
            due_per_second: target,
            answered: shares.iter().map(Self::expected).sum(),
            elapsed_seconds,
            lag: schedule_lag.as_ref(),
            waited: shares.iter().flat_map(|share| &share.rate).map(|rate| rate.waited).sum(),
        };
        let all_held = shares.iter().all(|share| share.rate.as_ref().is_some_and(|rate| rate.held));
        let rate = first.load.rate_per_second.map(|target| {
            let rate = Rate::new(target, &arrived(target));
            Rate { held: rate.held && all_held, ..rate }
        });
        Ok(Self {
            version: first.version.clone(),
            load: Load { threads: shares.iter().map(|share| share.load.threads).sum(), ..first.load.clone() },
            share: None,
            began_nanoseconds: None,
            late_seconds: shares.iter().filter_map(|share| share.late_seconds).reduce(f64::max),
            connections_open: shares.iter().map(|share| share.connections_open).sum(),
            elapsed_seconds,
            sent: shares.iter().map(|share| share.sent).sum(),
            answered: shares.iter().map(|share| share.answered).sum(),
            statuses: statuses(shares),
            errors: errors(shares),
            queue: None,
            mismatch: shares.iter().find_map(|share| share.mismatch.clone()),
            interrupted: shares.iter().any(|share| share.interrupted),
            bytes_read: shares.iter().map(|share| share.bytes_read).sum(),
            bytes_written: shares.iter().map(|share| share.bytes_written).sum(),
            latency: times(shares, "latency", |share| share.latency.as_ref())?,
            connect: times(shares, "connect", |share| share.connect.as_ref())?,
            handshake: times(shares, "handshake", |share| share.handshake.as_ref())?,
            handshake_failure: shares.iter().find_map(|share| share.handshake_failure.clone()),
            tls: Tls::merge(shares),
            http2: Http2::merge(shares),
            rate,
            schedule_lag,
            cpu_seconds: shares.iter().map(|share| share.cpu_seconds).sum(),
            kinds: kinds(shares)?,
            series: Interval::merge(shares),
        })
    }
}

/// Fails unless these are all shares of one load, each once.
fn check(shares: &[Report], first: &Report) -> anyhow::Result<()> {
    let mut found = Vec::new();
    for report in shares {
        let share = report.share.context("a report is not of a share (--share)")?;
        ensure!(report.version == first.version, "share {share} is of another version: {}", report.version);
        // The hosts may know the server by different names, and have different numbers of cores.
        let Load { url, threads, .. } = &first.load;
        let load = Load { url: url.clone(), threads: *threads, ..report.load.clone() };
        ensure!(load == first.load, "share {share} is of another load than the first share");
        ensure!(!found.contains(&share), "share {share} is there twice");
        found.push(share);
    }
    let count = first.share.map_or(0, Share::count);
    for share in Share::all(count) {
        ensure!(found.contains(&share), "share {share} is missing");
    }
    let other = found.iter().find(|share| share.count() != count);
    ensure!(other.is_none(), "there are shares of {count} and of another number");
    Ok(())
}

fn times<'a>(
    shares: &'a [Report],
    name: &str,
    times: impl Fn(&'a Report) -> Option<&'a TimesReport>,
) -> anyhow::Result<Option<TimesReport>> {
    TimesReport::merge(shares.iter().filter_map(times)).with_context(|| format!("cannot add up {name}"))
}

/// Merges the kinds of a mix; `None` without a mix. Shares of one load have the same kinds.
fn kinds(shares: &[Report]) -> anyhow::Result<Option<Vec<Kind>>> {
    let Some(first) = shares.first().and_then(|share| share.kinds.as_ref()) else { return Ok(None) };
    let merged = first.iter().enumerate().map(|(number, Kind { name, .. })| {
        let kinds: Vec<&Kind> = shares.iter().filter_map(|share| share.kinds.as_ref()?.get(number)).collect();
        ensure!(kinds.len() == shares.len(), "a share lacks the kind {name}");
        Kind::merge(&kinds)
    });
    merged.collect::<anyhow::Result<_>>().map(Some)
}

fn statuses(shares: &[Report]) -> BTreeMap<u16, u64> {
    let mut statuses = BTreeMap::new();
    for (status, count) in shares.iter().flat_map(|share| &share.statuses) {
        *statuses.entry(*status).or_default() += count;
    }
    statuses
}

fn errors(shares: &[Report]) -> Errors {
    let mut errors = Errors::default();
    shares.iter().for_each(|share| errors.add(share.errors));
    errors
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Times, VERSION, as_f64};

    fn times(milliseconds: &[u64]) -> Option<TimesReport> {
        let mut times = Times::default();
        milliseconds.iter().for_each(|time| times.record(Duration::from_millis(*time)));
        times.report()
    }

    fn kind(name: &str, status: u16, sent: u64, time: u32) -> Kind {
        Kind {
            name: name.into(),
            share: as_f64(sent) / 50.0,
            status,
            sent,
            expected: sent,
            statuses: [(status, sent)].into(),
            latency: times(&vec![u64::from(time); usize::try_from(sent).unwrap()]),
        }
    }

    fn interval(number: u32, answered: u64) -> Interval {
        let max_seconds = Some(as_f64(answered));
        let (p50_seconds, p99_seconds) = (Some(0.1), Some(0.2));
        let began_seconds = f64::from(number) / 2.0;
        Interval { began_seconds, answered, p50_seconds, p99_seconds, max_seconds }
    }

    fn tls(full: u64) -> Tls {
        let (version, suite, group) = ("TLSv1.3".into(), "TLS_AES_128_GCM_SHA256".into(), "X25519".into());
        Tls { version, suite, group, alpn: Some("http/1.1".into()), full, resumed: 1 }
    }

    /// The report of one of two shares of a load of 100 requests at 100 per second, all answered.
    fn share(number: u32) -> Report {
        let load = Load {
            url: "http://127.0.0.1:8080/abc".into(),
            paths: vec!["/abc".into()],
            protocol: "h2".into(),
            streams: 10,
            headers: vec!["Accept: */*".into()],
            mix: vec!["name=a,share=0.1,method=DELETE,status=405".into()],
            mode: "keep-alive".into(),
            connections: 5,
            threads: number,
            rate_per_second: Some(100.0),
            arrivals: Some("poisson".into()),
            seed: Some(1),
            requests: Some(100),
            seconds: None,
            warm_up_seconds: 0.0,
            timeout_seconds: 10.0,
            series_seconds: Some(0.5),
        };
        let mut lag = Times::default();
        lag.record(Duration::from_micros(50));
        let rate = Rate { target_per_second: 50.0, achieved_per_second: Some(50.0), held: true, waited: 1 };
        Report {
            version: VERSION.into(),
            load,
            share: Share::new(number, 2),
            began_nanoseconds: Some(1),
            late_seconds: Some(f64::from(number)),
            connections_open: Some(2),
            elapsed_seconds: 1.0,
            sent: 50,
            answered: 45,
            statuses: [(200, 45), (405, 5)].into(),
            errors: Errors::default(),
            queue: None,
            mismatch: None,
            interrupted: false,
            bytes_read: 1000,
            bytes_written: 500,
            latency: times(&[u64::from(number), 10 * u64::from(number)]),
            connect: None,
            handshake: times(&[u64::from(number)]),
            handshake_failure: None,
            tls: Some(tls(number.into())),
            http2: Some(Http2 { goaway: 1, rst_stream: 2, refused_stream: 1, asked_again: number.into() }),
            schedule_lag: lag.report(),
            rate: Some(rate),
            cpu_seconds: 0.25,
            kinds: Some(vec![kind("plain", 200, 45, number), kind("a", 405, 5, number)]),
            series: Some((0..number).map(|interval| self::interval(interval, u64::from(number))).collect()),
        }
    }

    /// Two shares, the second of which is changed.
    fn changed(change: fn(&mut Report)) -> [Report; 2] {
        let mut second = share(2);
        change(&mut second);
        [share(1), second]
    }

    #[test]
    fn a_load_has_the_sum_of_its_shares() {
        let all = Report::merge(&changed(|_| {}), 1.0).unwrap();
        let rate = Rate { target_per_second: 100.0, achieved_per_second: Some(100.0), held: true, waited: 2 };
        let expected = Report {
            load: Load { threads: 3, ..share(1).load },
            share: None,
            began_nanoseconds: None,
            late_seconds: Some(2.0),
            connections_open: Some(4),
            sent: 100,
            answered: 90,
            statuses: [(200, 90), (405, 10)].into(),
            bytes_read: 2000,
            bytes_written: 1000,
            latency: times(&[1, 10, 2, 20]),
            handshake: times(&[1, 2]),
            tls: Some(Tls { resumed: 2, ..tls(3) }),
            http2: Some(Http2 { goaway: 2, rst_stream: 4, refused_stream: 2, asked_again: 3 }),
            schedule_lag: all.schedule_lag.clone(),
            rate: Some(rate),
            cpu_seconds: 0.5,
            kinds: all.kinds.clone(),
            // The second share has one interval more.
            series: Some(vec![
                Interval { max_seconds: Some(2.0), p50_seconds: None, p99_seconds: None, ..interval(0, 3) },
                Interval { p50_seconds: None, p99_seconds: None, ..interval(1, 2) },
            ]),
            ..share(1)
        };
        assert_eq!(all, expected);
        assert_eq!(all.schedule_lag.map(|lag| lag.count), Some(2));
        let [plain, other] = all.kinds.unwrap().try_into().unwrap();
        let plain_times: Vec<u64> = [[1; 45], [2; 45]].concat();
        assert_eq!(plain, Kind { latency: times(&plain_times), share: 0.9, ..kind("plain", 200, 90, 1) });
        assert_eq!((other.sent, other.expected, other.statuses), (10, 10, [(405, 10)].into()));
        assert_eq!((other.share, other.latency.unwrap().count), (0.1, 10));
    }

    #[test]
    fn a_load_has_what_went_wrong_in_any_share() {
        let merged = |change| Report::merge(&changed(change), 1.0).unwrap();
        assert!(merged(|share| share.interrupted = true).interrupted);
        let wrong = merged(|share| share.mismatch = Some("GET /abc: no".into()));
        assert_eq!(wrong.mismatch.as_deref(), Some("GET /abc: no"));
        let failed = merged(|share| (share.errors.reset, share.statuses) = (2, [(503, 48)].into()));
        assert_eq!((failed.errors.reset, failed.statuses), (2, [(200, 45), (405, 5), (503, 48)].into()));
        let failed = merged(|share| share.handshake_failure = Some("no TLS".into()));
        assert_eq!(failed.handshake_failure.as_deref(), Some("no TLS"));
        assert_eq!(merged(|share| share.connections_open = None).connections_open, None);
    }

    #[test]
    fn a_rate_is_held_by_each_share_and_by_all() {
        let too_few =
            |share: &mut Report| share.kinds = Some(vec![kind("plain", 200, 40, 1), kind("a", 405, 5, 1)]);
        let held = |shares: &[Report], elapsed| Report::merge(shares, elapsed).unwrap().rate.unwrap().held;
        let cases: [(&str, [Report; 2], f64, bool); 5] = [
            ("all", changed(|_| {}), 1.0, true),
            (
                "one share not",
                changed(|share| share.rate.iter_mut().for_each(|rate| rate.held = false)),
                1.0,
                false,
            ),
            ("the whole took longer", changed(|_| {}), 1.1, false),
            ("too few answers", changed(too_few), 1.0, false),
            ("late", changed(|share| share.schedule_lag = times(&[5; 50])), 1.0, false),
        ];
        for (name, shares, elapsed, expected) in cases {
            assert_eq!(held(&shares, elapsed), expected, "{name}");
        }
    }

    #[test]
    fn only_all_shares_of_one_load_are_merged() {
        let one_of_three = Report { share: Share::new(3, 3), ..share(1) };
        let cases = [
            ("none", vec![], "there is no share"),
            ("no share", changed(|share| share.share = None).to_vec(), "not of a share"),
            ("one of two", vec![share(2)], "share 1/2 is missing"),
            ("one twice", vec![share(1), share(1)], "share 1/2 is there twice"),
            ("of three", changed(|report| report.share = Share::new(2, 3)).to_vec(), "share 2/2 is missing"),
            ("one more", vec![share(1), share(2), one_of_three], "another number"),
            ("no kind", changed(|share| share.kinds = None).to_vec(), "a share lacks the kind plain"),
            ("another load", changed(|share| share.load.connections = 9).to_vec(), "another load"),
            ("another seed", changed(|share| share.load.seed = Some(2)).to_vec(), "another load"),
            ("another version", changed(|share| share.version = "visit 0".into()).to_vec(), "visit 0"),
        ];
        for (name, shares, expected) in cases {
            let error = format!("{:#}", Report::merge(&shares, 1.0).unwrap_err());
            assert!(error.contains(expected), "{name}: {error}");
        }
        // Hosts may know the server by different names, and the reports may come in any order.
        let [first, elsewhere] = changed(|share| share.load.url = "http://server/abc".into());
        assert_eq!(Report::merge(&[elsewhere, first], 1.0).unwrap().answered, 90);
    }
}
