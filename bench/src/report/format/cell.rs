//! A table's cells as text: every format shows the same digits.

use super::super::chart::Mark;
use super::super::document::{Figure, Quantity, Unit, Value};
use crate::text::numbers;

/// A cell without its unit, which stands in the column's head.
pub(crate) fn shown(value: &Value, quantity: Quantity, unit: Unit) -> String {
    match value {
        Value::Absent => "–".into(),
        Value::Words(words) => words.clone(),
        Value::Rank(rank) => rank.to_string(),
        Value::Figure(figure) => number(figure.value, quantity, unit),
        Value::Marked { figure, mark } => number(figure.value, quantity, unit) + sign(*mark),
    }
}

/// The interval of a cell that has one: `6.52–6.57`.
pub(crate) fn interval(value: &Value, quantity: Quantity, unit: Unit) -> Option<String> {
    let (Value::Figure(Figure { interval, .. }) | Value::Marked { figure: Figure { interval, .. }, .. }) =
        value
    else {
        return None;
    };
    let [low, high] = (*interval)?.map(|end| number(end, quantity, unit));
    Some(format!("{low}–{high}"))
}

/// What stands behind a figure that is not the server's own; a note below the table says what it means.
pub(crate) fn sign(mark: Mark) -> &'static str {
    match mark {
        Mark::Own => "",
        Mark::Client => "*",
        Mark::Invalid => "!",
        Mark::Reference => "°",
    }
}

/// A figure in a unit, to as many digits as can be meant.
pub(crate) fn number(figure: f64, quantity: Quantity, unit: Unit) -> String {
    let figure = figure * unit.factor;
    match quantity {
        Quantity::Words | Quantity::Count | Quantity::Rate => numbers::whole(figure),
        Quantity::Memory if unit.symbol == "B" => numbers::whole(figure),
        Quantity::Share => format!("{figure:.1}"),
        Quantity::Time | Quantity::Memory | Quantity::Ratio => numbers::significant(figure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::statistics::Rank;

    #[test]
    fn cells_have_the_unit_of_their_column() {
        let figure = |value: f64| Value::Figure(Figure { value, interval: Some([value * 0.9, value * 1.1]) });
        let cases = [
            (Value::Absent, Quantity::Time, "–", None),
            (Value::Words("client".into()), Quantity::Words, "client", None),
            (Value::Rank(Rank { best: 1, worst: 3 }), Quantity::Words, "1–3", None),
            (figure(8.12e-6), Quantity::Time, "8.12", Some("7.31–8.93")),
            (figure(0.25), Quantity::Time, "250", Some("225–275")),
            (figure(12_300.0), Quantity::Rate, "12,300", Some("11,070–13,530")),
            (figure(512.0), Quantity::Memory, "512", Some("461–563")),
            (figure(5.0 * 1_048_576.0), Quantity::Memory, "5.00", Some("4.50–5.50")),
            (figure(0.996), Quantity::Share, "99.6", Some("89.6–109.6")),
            (
                Value::Marked { figure: Figure { value: 9e3, interval: None }, mark: Mark::Client },
                Quantity::Rate,
                "9,000*",
                None,
            ),
        ];
        for (value, quantity, expected, expected_interval) in cases {
            let unit = quantity.unit(value.number().into_iter());
            assert_eq!(shown(&value, quantity, unit), expected, "{value:?}");
            assert_eq!(interval(&value, quantity, unit).as_deref(), expected_interval, "{value:?}");
        }
    }
}
