//! A line per cell of all tables, for a spreadsheet or a data frame.

use anyhow::Context;

use crate::report::document::Document;
use crate::report::value::{Attribution, Figure, Value};

const HEADER: [&str; 10] =
    ["section", "table", "row", "column", "unit", "value", "low", "high", "attribution", "text"];

pub(super) fn render(document: &Document) -> anyhow::Result<String> {
    write(document).context("cannot write the report as CSV")
}

fn write(document: &Document) -> anyhow::Result<String> {
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
    let of = |figure: &Figure, attribution: &str| {
        let [low, high] =
            figure.interval.map_or_else(Default::default, |ends| ends.map(|end| end.to_string()));
        [figure.value.to_string(), low, high, attribution.to_owned(), String::new()]
    };
    match value {
        Value::Absent => Default::default(),
        Value::Text(text) => [String::new(), String::new(), String::new(), String::new(), text.clone()],
        Value::Rank(rank) => {
            let [best, worst] = [rank.best, rank.worst].map(|place| place.to_string());
            [String::new(), best, worst, String::new(), rank.to_string()]
        }
        Value::Figure(figure) => of(figure, ""),
        Value::Attributed { figure, attribution } => of(figure, attribution_word(*attribution)),
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
