//! What came of a run, for who watches: in a few words.

use crate::store::record::{Bound, Record, TaskRecord};
use crate::text::numbers;
use crate::text::progress::Stage;

/// Characters of a failure that are told while runs go by: two lines, or three.
const TOLD_AT_MOST: usize = 160;

/// Says what came of a run: in a line that stays when it has no figures, or none to go by.
pub(super) fn tell(stage: &Stage, label: &str, record: &Record) {
    let figure = figure(record);
    let is_sound = match &record.verdict {
        Some(verdict) => !matches!(verdict.bound, Bound::Invalid | Bound::Disturbed),
        None => record.error.is_none(),
    };
    let line = format!("{label}: {figure}");
    if is_sound {
        stage.done(&line, &format!("{} {figure}", record.server.name));
    } else {
        stage.failed(&line);
    }
}

/// What a run came to.
pub(super) fn figure(record: &Record) -> String {
    if let Some(error) = &record.error {
        return format!("failed: {}", start_of(&error.message));
    }
    match record.workload.task {
        TaskRecord::Start => record.start.map_or_else(String::new, |start| {
            format!("first answer after {}", numbers::duration(start.first_answer_seconds))
        }),
        TaskRecord::Hold => record.memory_per_connection().map_or_else(
            || "not all stayed open".into(),
            |each| format!("{} a connection", numbers::bytes(each)),
        ),
        TaskRecord::Load => load_figure(record),
    }
}

/// As much of it as is read while runs go by: the record has the rest, and the report.
fn start_of(message: &str) -> String {
    match message.char_indices().nth(TOLD_AT_MOST) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message.to_owned(),
    }
}

fn load_figure(record: &Record) -> String {
    let cpu = record.cpu_per_request();
    let cpu = cpu.map_or_else(String::new, |cpu| format!("{} CPU a request, ", numbers::duration(cpu)));
    let rate = numbers::whole(record.per_second().unwrap_or(0.0));
    let verdict = record.verdict.as_ref().map_or_else(String::new, |verdict| {
        let reason = verdict.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
        format!(", {}{reason}", verdict.bound)
    });
    format!("{cpu}{rate} requests/s{verdict}")
}
