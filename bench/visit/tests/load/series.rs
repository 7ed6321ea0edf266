//! `visit --series`: answers over time.

use super::server::{BUSY, right};
use super::visit;

#[test]
fn a_series_has_all_answers_by_their_time() {
    for arguments in [
        "--requests 200 --rate 1000 --warm-up 0.1",
        "--requests 500 --threads 2",
        "--seconds 0.25 --threads 2",
    ] {
        let ran = visit(&format!("{arguments} --series 0.05 --connections 4"), |client| {
            while let Some((path, number)) = client.request() {
                client.send(&if number % 3 == 0 { BUSY.to_owned() } else { right(&path) });
            }
        });
        let (report, series) = (&ran.report, ran.report.series.as_ref().unwrap());
        assert_eq!(report.load.series_seconds, Some(0.05), "{arguments}");
        let answered: u64 = series.iter().map(|interval| interval.answered).sum();
        assert_eq!((answered, ran.code), (report.answered, 0), "{arguments}");
        assert!(answered > 0 && answered < report.sent, "{arguments}");
        // The series lasts to the end of the time, or to the last answer.
        let whole = series.len() as f64 * 0.05;
        let ended = whole - 0.05 - 1e-6..=whole + 1e-6;
        assert!(ended.contains(&report.elapsed_seconds), "{arguments}: {ended:?}");
        for (number, interval) in (0..).zip(series) {
            assert!((interval.began_seconds - f64::from(number) * 0.05).abs() < 1e-9, "{interval:?}");
            let [p50, p99, max] = [interval.p50_seconds, interval.p99_seconds, interval.max_seconds];
            assert!(p50 <= p99 && p99 <= max, "{interval:?}");
            assert!(interval.answered == 0 || p50.is_some(), "{interval:?}");
        }
        let longest = series.iter().filter_map(|interval| interval.max_seconds).reduce(f64::max);
        assert_eq!(longest, report.latency.as_ref().map(|times| times.max_seconds), "{arguments}");
    }
    let ran = visit("--requests 10", |client| client.answer_all(right));
    assert_eq!((ran.report.series, ran.report.load.series_seconds), (None, None));
}
