//! Charts with their descriptions in words.

use crate::report::chart::{Bar, Bars, Chart, Plot};

/// A bar chart whose description has every bar's figure.
pub(super) fn bars(id: String, title: String, bars: Bars) -> Chart {
    let unit = bars.quantity.unit(bars.bars.iter().filter_map(|bar| Some(bar.figure?.value)));
    let shown = |bar: &Bar| {
        let figure = bar.figure.map_or_else(
            || "no figure".into(),
            |figure| format!("{} {}", bars.quantity.number(figure.value, unit), unit.symbol),
        );
        let note = if bar.note.is_empty() { String::new() } else { format!(" ({})", bar.note) };
        format!("{} {}{note}", bar.label, figure.trim_end())
    };
    let description = bars.bars.iter().map(shown).collect::<Vec<_>>().join(", ");
    Chart { id, description: format!("{title}: {description}."), title, plot: Plot::Bars(bars) }
}
