//! A line per cell of all tables, for a spreadsheet or a data frame.

use std::borrow::Cow;

use crate::report::document::Document;
use crate::report::value::{Attribution, Value};

const HEADER: [&str; 10] =
    ["section", "table", "row", "column", "unit", "value", "low", "high", "attribution", "text"];

/// Spreadsheets recognise UTF-8 by this mark: without it, Excel reads Windows-1252.
const BYTE_ORDER_MARK: &str = "\u{feff}";

pub(super) fn render(document: &Document) -> anyhow::Result<String> {
    let mut out = ::csv::Writer::from_writer(BYTE_ORDER_MARK.as_bytes().to_vec());
    out.write_record(HEADER)?;
    for section in &document.sections {
        for table in &section.tables {
            for row in &table.rows {
                let name = row.first().and_then(Value::text).unwrap_or_default();
                for (column, value) in table.columns.iter().zip(row).skip(1) {
                    let place = [section.id, &table.name, name, &column.header];
                    let [value, low, high, attribution, text] = fields(value);
                    let unit = column.quantity.stored_unit().to_owned();
                    let figures = [unit, value, low, high, attribution, as_text(&text).into_owned()];
                    let place = place.map(|text| as_text(text).into_owned());
                    out.write_record(place.into_iter().chain(figures))?;
                }
            }
        }
    }
    Ok(String::from_utf8(out.into_inner()?)?)
}

/// Value, ends of the interval, attribution and text; empty where there is none.
fn fields(value: &Value) -> [String; 5] {
    let empty = String::new;
    match value {
        Value::Absent => Default::default(),
        Value::Text(text) => [empty(), empty(), empty(), empty(), text.clone()],
        Value::Rank(rank) => {
            [empty(), rank.best.to_string(), rank.worst.to_string(), empty(), rank.to_string()]
        }
        Value::Figure { figure, attribution } => {
            let ends = figure.interval.map(|ends| ends.map(|end| end.to_string()));
            let [low, high] = ends.unwrap_or_default();
            [figure.value.to_string(), low, high, attribution_word(*attribution).to_owned(), empty()]
        }
    }
}

/// Returns a text in a form that spreadsheets do not change. A text that begins like a formula
/// would be run (OWASP, "CSV injection"), and short numbers separated by `/` or `-` would become a
/// date. An apostrophe before the text prevents both.
fn as_text(text: &str) -> Cow<'_, str> {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let is_short =
        |part: &str| (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_date = text.contains(['/', '-']) && text.split(['/', '-']).all(is_short);
    if is_formula || is_date { format!("'{text}").into() } else { text.into() }
}

fn attribution_word(attribution: Attribution) -> &'static str {
    match attribution {
        Attribution::Server => "",
        Attribution::Tool => "tool",
        Attribution::Invalid => "invalid",
        Attribution::Reference => "reference",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::document::{Section, Table};
    use crate::report::field::Field;
    use crate::report::value::Quantity;

    #[test]
    fn no_text_is_a_formula_or_a_date_and_negative_figures_are_numbers() {
        let fields = [
            Field::text("Server", |row: &(&'static str, f64)| row.0),
            Field::text("Version", |row: &(&'static str, f64)| row.0),
            Field::new("Change", Quantity::Ratio, |row: &(&'static str, f64)| Some(row.1)),
        ];
        let rows = [("=1+1", -2.5), ("@SUM(1)", 1.0), ("12/25", 1.0), ("500/500", 1.0), ("-", 1.0)];
        let table = Table::from_fields("t", "t", fields, &rows);
        let section = Section { tables: vec![table], ..Section::new("s", "S", "") };
        let text = render(&Document { sections: vec![section], ..Document::default() }).unwrap();
        let mut lines = text.lines();
        assert_eq!(
            lines.next(),
            Some("\u{feff}section,table,row,column,unit,value,low,high,attribution,text")
        );
        let expected = [
            "s,t,'=1+1,Version,,,,,,'=1+1",
            "s,t,'=1+1,Change,,-2.5,,,,",
            "s,t,'@SUM(1),Version,,,,,,'@SUM(1)",
            "s,t,'@SUM(1),Change,,1,,,,",
            "s,t,'12/25,Version,,,,,,'12/25",
            "s,t,'12/25,Change,,1,,,,",
            "s,t,500/500,Version,,,,,,500/500",
            "s,t,500/500,Change,,1,,,,",
            "s,t,'-,Version,,,,,,'-",
            "s,t,'-,Change,,1,,,,",
        ];
        assert_eq!(lines.collect::<Vec<_>>(), expected);
    }
}
