//! Numbers as text. Inside the harness values are seconds, bytes and counts; units are added here.

use std::time::Duration;

/// A count as a floating-point number. Exact up to 2^53, far above the counts of a run.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
pub fn as_f64(count: u64) -> f64 {
    count as f64
}

/// A whole number in groups of three: `12,345`.
pub(crate) fn whole(number: f64) -> String {
    let digits = format!("{:.0}", number.abs());
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if number.is_sign_negative() && out != "0" { format!("-{out}") } else { out }
}

/// A number of things: `1 run`, `3 runs`.
pub(crate) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// A time that the user waits for, in whole seconds: `45 s`, `12 min 40 s`, `1 h 0 min 5 s`.
pub(crate) fn time(time: Duration) -> String {
    let seconds = (time + Duration::from_millis(500)).as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, seconds) => format!("{hours} h {minutes} min {seconds} s"),
    }
}

/// Seconds: `5.00 s`.
pub(crate) fn seconds(seconds: f64) -> String {
    format!("{seconds:.2} s")
}

/// Seconds in the unit that fits their size: `8.12 ns`, `81.2 µs`, `812 ms`, `1.20 s`.
pub(crate) fn duration(seconds: f64) -> String {
    match seconds.abs() {
        size if size < 1e-6 => format!("{} ns", significant(seconds * 1e9)),
        size if size < 1e-3 => format!("{} µs", significant(seconds * 1e6)),
        size if size < 1.0 => format!("{} ms", significant(seconds * 1e3)),
        _ => format!("{} s", significant(seconds)),
    }
}

/// A share as a percentage, with at most four digits after the point: `2 %`, `2.5 %`.
pub(crate) fn percent(share: f64) -> String {
    format!("{} %", (share * 1e6).round() / 1e4)
}

/// Bytes: `1,234 B`.
pub(crate) fn bytes(bytes: f64) -> String {
    format!("{} B", whole(bytes))
}

/// Bytes in units of 1,048,576: `3.31 MiB`.
pub(crate) fn mebibytes(bytes: f64) -> String {
    format!("{} MiB", significant(bytes / 1_048_576.0))
}

/// A ratio: `9.75×`, `60.1×`.
pub(crate) fn ratio(ratio: f64) -> String {
    format!("{}×", significant(ratio))
}

/// `core 0`, or `cores 0, 1`.
pub(crate) fn cores(cores: &[usize]) -> String {
    let list = cores.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    format!("core{} {list}", if cores.len() == 1 { "" } else { "s" })
}

/// Three significant digits, and all digits before the point: `8.12`, `81.2`, `8,123`.
pub(crate) fn significant(number: f64) -> String {
    match number.abs() {
        size if size < 10.0 => format!("{number:.2}"),
        size if size < 100.0 => format!("{number:.1}"),
        _ => whole(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        let wholes = [0.0, 7.2, 123.0, 1234.4, 1_234_567.0, -1234.4, -0.2].map(whole);
        assert_eq!(wholes, ["0", "7", "123", "1,234", "1,234,567", "-1,234", "0"]);
        let figures = [8.123, 81.23, 812.3, 8123.0].map(significant);
        assert_eq!(figures, ["8.12", "81.2", "812", "8,123"]);
        let durations = [812.3e-9, 8.123e-6, 81.23e-3, 1.5, -812.3e-9, -81.23e-6].map(duration);
        assert_eq!(durations, ["812 ns", "8.12 µs", "81.2 ms", "1.50 s", "-812 ns", "-81.2 µs"]);
        assert_eq!((bytes(1234.0), mebibytes(3.5e6)), ("1,234 B".to_owned(), "3.34 MiB".to_owned()));
        assert_eq!(ratio(9.754), "9.75×");
        assert_eq!([0.02, 0.07, 0.0255, 1e-5].map(percent), ["2 %", "7 %", "2.55 %", "0.001 %"]);
        let times = [499, 44_500, 59_999, 760_000, 3_605_000, 108_120_000]
            .map(|milliseconds| time(Duration::from_millis(milliseconds)));
        assert_eq!(times, ["0 s", "45 s", "1 min 0 s", "12 min 40 s", "1 h 0 min 5 s", "30 h 2 min 0 s"]);
        assert_eq!((cores(&[0]), cores(&[0, 1])), ("core 0".to_owned(), "cores 0, 1".to_owned()));
        assert_eq!((counted(1, "run"), counted(0, "run")), ("1 run".to_owned(), "0 runs".to_owned()));
    }
}
