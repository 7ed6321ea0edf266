//! One-line summaries of runs for the progress display.

use crate::store::record::{Bound, Record, TaskRecord};
use crate::text::numbers;
use crate::text::progress::Stage;

/// The maximum number of characters of an error that are shown during a measurement: two or three
/// lines of a terminal. The record and the report have the whole text.
const ERROR_CHARACTERS: usize = 160;

/// Shows the result of a run. The line stays on a terminal when the run failed, is invalid or was
/// disturbed.
pub(super) fn show(stage: &Stage, label: &str, record: &Record) {
    let result = result(record);
    let is_sound = match &record.verdict {
        Some(verdict) => !matches!(verdict.bound, Bound::Invalid | Bound::Disturbed),
        None => record.error.is_none(),
    };
    let line = format!("{label}: {result}");
    if is_sound {
        stage.done(&line, &format!("{} {result}", record.server.name));
    } else {
        stage.failed(&line);
    }
}

/// The result of a run: its main figures, or why there are none.
pub(super) fn result(record: &Record) -> String {
    if let Some(error) = &record.error {
        return format!("failed: {}", shortened(&error.message));
    }
    match record.workload.task {
        TaskRecord::Start => record.start.map_or_else(String::new, |start| {
            format!("first answer after {}", numbers::duration(start.first_answer_seconds))
        }),
        TaskRecord::Hold => record.memory_per_connection().map_or_else(
            || "not all connections stayed open".into(),
            |bytes| format!("{} per connection", numbers::bytes(bytes)),
        ),
        TaskRecord::Idle => record.idle_cpu().map_or_else(
            || "not all connections stayed open".into(),
            |share| format!("{} CPU per second", numbers::duration(share)),
        ),
        TaskRecord::Load => load_result(record),
    }
}

fn shortened(message: &str) -> String {
    match message.char_indices().nth(ERROR_CHARACTERS) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message.to_owned(),
    }
}

fn load_result(record: &Record) -> String {
    let cpu = record.cpu_per_request();
    let cpu = cpu.map_or_else(String::new, |cpu| format!("{} CPU per request, ", numbers::duration(cpu)));
    let rate = numbers::whole(record.per_second().unwrap_or(0.0));
    let verdict = record.verdict.as_ref().map_or_else(String::new, |verdict| {
        let reason = verdict.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
        format!(", {}{reason}", verdict.bound)
    });
    format!("{cpu}{rate} requests/s{verdict}")
}
