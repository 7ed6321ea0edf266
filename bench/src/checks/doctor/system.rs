//! The machine itself, and its settings.

use std::path::Path;

use super::finding::{Finding, Level};
use crate::machine::cores::Cores;
use crate::machine::{Frequency, Machine};
use crate::text::numbers::{self, as_f64};

/// Clocks that a program reads without a system call: those of x86-64, of ARM, and of hypervisors.
const QUICK_CLOCKS: [&str; 5] =
    ["tsc", "arch_sys_counter", "kvm-clock", "hyperv_clocksource_tsc_page", "xen"];

/// The kernel's folder of clocks, relative to the root.
const CLOCK: &str = "sys/devices/system/clocksource/clocksource0";

pub(crate) fn system(machine: &Machine, cores: &Cores) -> Vec<Finding> {
    let root = Path::new("/");
    [
        Some(Level::Ok.finding(&machine.kernel)),
        Some(processor(machine.processor.as_deref(), &machine.counted_cores(), cores)),
        machine.memory_bytes.map(|bytes| memory(bytes, machine.swapped_bytes.unwrap_or_default())),
        virtual_machine(machine.virtual_machine),
        container(&machine.container_signs),
        machine.nice.map(nice),
        Some(governor(&machine.frequency)),
        machine.frequency.turbo.map(turbo),
        machine.huge_pages.as_deref().map(huge_pages),
        clock(root),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn processor(name: Option<&str>, all: &str, cores: &Cores) -> Finding {
    let name = name.unwrap_or("an unknown processor");
    let (server, tool) = (numbers::cores(&cores.server), numbers::cores(&cores.tool));
    let shares = format!("{all} of {name}: servers get {server}, the load tool {tool}");
    match cores.harness {
        _ if cores.shared() => Level::Bad.finding(format!(
            "{shares}, so that each slows the other down; one core is enough only to compare pairs"
        )),
        None => Level::Note.finding(format!(
            "{shares}, and the harness has none of its own; it needs little, but on a third core it would disturb no run"
        )),
        Some(own) => Level::Ok.finding(format!("{shares}, the harness core {own}")),
    }
}

fn memory(bytes: u64, swapped: u64) -> Finding {
    let all = format!("{} of memory", numbers::mebibytes(as_f64(bytes)));
    let swapped_bytes = numbers::mebibytes(as_f64(swapped));
    let advice = format!(
        "; {swapped_bytes} are swapped to a disk, and may be read back during a run: `swapoff -a` does that now"
    );
    Level::Note.unless(swapped == 0, all, advice)
}

fn virtual_machine(is_one: Option<bool>) -> Option<Finding> {
    is_one?.then(|| {
        Level::Note.finding(
            "a virtual machine: other machines on the same hardware may take its time; \
             compare only figures that were measured soon after each other",
        )
    })
}

fn container(signs: &[String]) -> Option<Finding> {
    (!signs.is_empty()).then(|| {
        Level::Note.finding(format!(
            "a container, by {}: other processes may share its cores, and may not be visible from here",
            signs.join(", ")
        ))
    })
}

fn governor(frequency: &Frequency) -> Finding {
    let Some(governors) = &frequency.governors else {
        return Level::Note.finding(
            "the governor of the cores' frequency is not visible from here, as in most virtual machines",
        );
    };
    let text = format!("the cores' frequency is set by `{}`", governors.join(", "));
    let advice = ", which slows down a core that is idle now and then; \
                  as root: cpupower frequency-set --governor performance";
    Level::Bad.unless(governors == &["performance"], text, advice)
}

fn turbo(is_on: bool) -> Finding {
    if is_on {
        Level::Note.finding(
            "cores run faster while other cores are idle or cool (turbo), so that figures depend on what else runs; \
             as root: echo 1 > /sys/devices/system/cpu/intel_pstate/no_turbo, \
             or echo 0 > /sys/devices/system/cpu/cpufreq/boost",
        )
    } else {
        Level::Ok.finding("cores never exceed their nominal frequency (no turbo)")
    }
}

fn nice(value: i64) -> Finding {
    let text = format!("the nice value of processes that are started here is {value}");
    let advice = ", and they wait for all others: start a shell without `nice`";
    Level::Bad.unless(value <= 0, text, advice)
}

fn huge_pages(when: &str) -> Finding {
    let advice = ", so that memory per connection is measured in large steps; \
                  as root: echo madvise > /sys/kernel/mm/transparent_hugepage/enabled";
    Level::Note.unless(when != "always", format!("huge pages of two megabytes: {when}"), advice)
}

/// `root` is the folder that has `sys`.
fn clock(root: &Path) -> Option<Finding> {
    let folder = root.join(CLOCK);
    let read = |name| std::fs::read_to_string(folder.join(name)).ok();
    let current = read("current_clocksource")?.trim().to_owned();
    if QUICK_CLOCKS.contains(&current.as_str()) {
        return Some(Level::Ok.finding(format!("the clock is {current}")));
    }
    let others = read("available_clocksource").unwrap_or_default();
    let advice = match others.split_whitespace().find(|other| QUICK_CLOCKS.contains(other)) {
        Some(better) => format!("; as root: echo {better} > /{CLOCK}/current_clocksource"),
        None => String::new(),
    };
    Some(Level::Bad.finding(format!(
        "the clock is {current}, which is slow to read: it costs servers and tools that read it per request CPU time{advice}"
    )))
}

#[cfg(test)]
mod tests {
    use super::super::finding::assert_finding;
    use super::*;

    #[test]
    fn servers_tool_and_harness_want_a_core_each() {
        let cores = |server, tool, harness| Cores { server: vec![server], tool: vec![tool], harness };
        let three = "servers get core 1, the load tool core 2, the harness core 0";
        let cases = [
            (cores(1, 2, Some(0)), (Level::Ok, three)),
            (cores(0, 1, None), (Level::Note, "the harness has none of its own")),
            (cores(0, 0, None), (Level::Bad, "each slows the other down")),
        ];
        for (cores, expected) in cases {
            assert_finding(&processor(Some("Z80"), "3 cores", &cores), expected);
        }
        let unknown = processor(None, "2 cores", &cores(0, 1, None));
        assert_finding(&unknown, (Level::Note, "2 cores of an unknown processor"));
    }

    #[test]
    fn settings_become_findings() {
        let governed = |names: Option<&[&str]>| Frequency {
            governors: names.map(|names| names.iter().map(ToString::to_string).collect()),
            turbo: None,
        };
        let to_performance = "cpupower frequency-set --governor performance";
        let cases = [
            (memory(16 << 30, 0), (Level::Ok, "16,384 MiB of memory")),
            (memory(16 << 30, 3 << 20), (Level::Note, "3.00 MiB are swapped to a disk")),
            (governor(&governed(Some(&["performance"]))), (Level::Ok, "`performance`")),
            (governor(&governed(Some(&["performance", "powersave"]))), (Level::Bad, to_performance)),
            (governor(&governed(None)), (Level::Note, "is not visible")),
            (nice(0), (Level::Ok, "is 0")),
            (nice(10), (Level::Bad, "is 10, and they wait for all others")),
            (turbo(true), (Level::Note, "no_turbo")),
            (turbo(false), (Level::Ok, "no turbo")),
            (huge_pages("always"), (Level::Note, "echo madvise")),
            (huge_pages("madvise"), (Level::Ok, "madvise")),
        ];
        for (finding, expected) in cases {
            assert_finding(&finding, expected);
        }
        assert_eq!((virtual_machine(None), virtual_machine(Some(false))), (None, None));
        assert_finding(&virtual_machine(Some(true)).unwrap(), (Level::Note, "a virtual machine"));
        assert_eq!(container(&[]), None);
        assert_finding(&container(&["/.dockerenv".into()]).unwrap(), (Level::Note, "by /.dockerenv"));
    }

    #[test]
    fn a_slow_clock_is_reported_with_a_faster_one() {
        let cases = [
            ("tsc\n", "tsc hpet acpi_pm\n", (Level::Ok, "the clock is tsc")),
            ("hpet\n", "tsc hpet acpi_pm\n", (Level::Bad, "echo tsc > /sys/devices/system/clocksource/")),
            ("acpi_pm\n", "acpi_pm\n", (Level::Bad, "the clock is acpi_pm")),
        ];
        for (current, available, expected) in cases {
            let root = tempfile::tempdir().unwrap();
            assert_eq!(clock(root.path()), None);
            let folder = root.path().join(CLOCK);
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("current_clocksource"), current).unwrap();
            std::fs::write(folder.join("available_clocksource"), available).unwrap();
            assert_finding(&clock(root.path()).unwrap(), expected);
        }
    }
}
