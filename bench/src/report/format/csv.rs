//! A line per cell of all tables, for a spreadsheet or a data frame.

use crate::report::document::Document;
use crate::report::value::{Attribution, Value};

const HEADER: [&str; 10] =
    ["section", "table", "row", "column", "unit", "value", "low", "high", "attribution", "text"];

pub(super) fn render(document: &Document) -> anyhow::Result<String> {
    let mut out = ::csv::Writer::from_writer(Vec::new());
    out.write_record(HEADER)?;
    for section in &document.sections {
        for table in &section.tables {
            for row in &table.rows {
                let name = row.first().and_then(Value::text).unwrap_or_default();
                for (column, value) in table.columns.iter().zip(row).skip(1) {
                    let place = [section.id, &table.name, name, &column.header];
                    let [value, low, high, attribution, text] = fields(value);
                    let unit = column.quantity.stored_unit().to_owned();
                    let figures = [unit, value, low, high, attribution, text];
                    out.write_record(place.map(str::to_owned).into_iter().chain(figures))?;
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

fn attribution_word(attribution: Attribution) -> &'static str {
    match attribution {
        Attribution::Server => "",
        Attribution::Tool => "tool",
        Attribution::Invalid => "invalid",
        Attribution::Reference => "reference",
    }
}
