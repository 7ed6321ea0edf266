//! The figures of several processes of a tool that have made one load together.

use super::ToolOutput;

/// Adds counts and claimed rates. The percentiles of the whole do not follow from those of its
/// parts, and its mean and its maximum are known only if each part has one.
pub(super) fn sum(outputs: Vec<ToolOutput>, elapsed_seconds: f64) -> ToolOutput {
    let mut sum = ToolOutput { elapsed_seconds, ..ToolOutput::default() };
    let count = |output: &ToolOutput| crate::text::numbers::as_f64(output.answered);
    let means = outputs.iter().map(|output| Some(output.mean_seconds? * count(output)));
    let latency: Option<f64> = means.sum();
    sum.max_seconds =
        outputs.iter().map(|output| output.max_seconds).reduce(|a, b| Some(a?.max(b?))).flatten();
    let claimed: Option<f64> = outputs.iter().map(|output| output.claimed_per_second).sum();
    sum.claimed_per_second = claimed;
    for output in outputs {
        sum.answered += output.answered;
        sum.failed_connections += output.failed_connections;
        for (kind, count) in output.errors {
            *sum.errors.entry(kind).or_default() += count;
        }
        sum.mismatch = sum.mismatch.or(output.mismatch);
    }
    sum.mean_seconds = latency.filter(|_| sum.answered > 0).map(|latency| latency / count(&sum));
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(answered: u64, mean: f64, max: f64) -> ToolOutput {
        let errors = [("status 503".to_owned(), 2)].into();
        let percentiles = [(50, mean)].into();
        ToolOutput {
            elapsed_seconds: 1.0,
            answered,
            errors,
            failed_connections: 1,
            claimed_per_second: Some(10.0),
            mean_seconds: Some(mean),
            percentiles,
            max_seconds: Some(max),
            ..ToolOutput::default()
        }
    }

    #[test]
    fn counts_are_added_and_percentiles_are_unknown() {
        let whole = sum(vec![output(30, 0.001, 0.5), output(10, 0.005, 0.2)], 2.0);
        let expected = ToolOutput {
            elapsed_seconds: 2.0,
            answered: 40,
            errors: [("status 503".to_owned(), 4)].into(),
            failed_connections: 2,
            claimed_per_second: Some(20.0),
            mean_seconds: Some(0.002),
            max_seconds: Some(0.5),
            ..ToolOutput::default()
        };
        assert_eq!(whole, expected);
        let unknown = ToolOutput {
            mean_seconds: None,
            max_seconds: None,
            claimed_per_second: None,
            ..output(1, 0.0, 0.0)
        };
        let whole = sum(vec![output(30, 0.001, 0.5), unknown], 2.0);
        assert_eq!((whole.answered, whole.mean_seconds, whole.max_seconds), (31, None, None));
        assert_eq!((whole.claimed_per_second, whole.percentiles.len()), (None, 0));
    }
}
