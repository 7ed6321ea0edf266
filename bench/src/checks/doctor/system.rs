//! The machine itself: what cannot be changed about it, and how it is set.

use std::path::Path;

use super::{Finding, Level};
use crate::machine::cores::Cores;
use crate::machine::{Frequency, Machine};
use crate::text::numbers;
use crate::text::numbers::as_f64;

/// Clocks that a program reads without asking the kernel: those of x86-64, of ARM, and of hypervisors that offer the like.
const QUICK_CLOCKS: [&str; 5] =
    ["tsc", "arch_sys_counter", "kvm-clock", "hyperv_clocksource_tsc_page", "xen"];

/// What there is to say of the machine.
pub fn system(machine: &Machine, cores: &Cores) -> Vec<Finding> {
    let root = Path::new("/");
    [
        Some(Level::Ok.finding(&machine.kernel)),
        Some(processor(machine.processor.as_deref(), machine.cores, cores)),
        machine.memory_bytes.map(|bytes| memory(bytes, machine.swapped_bytes.unwrap_or_default())),
        virtual_machine(machine.virtual_machine),
        container(&machine.container_signs),
        Some(governor(&machine.frequency)),
        machine.frequency.turbo.map(turbo),
        machine.huge_pages.as_deref().map(huge_pages),
        clock(root),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn processor(name: Option<&str>, all: Option<usize>, cores: &Cores) -> Finding {
    let all = all.map_or_else(|| "an unknown number of".into(), |all| all.to_string());
    let name = name.unwrap_or("an unknown processor");
    let (server, tool) = (numbers::cores(&cores.server), numbers::cores(&cores.tool));
    let shares = format!("{all} cores of {name}: servers get {server}, the load tool {tool}");
    match cores.harness {
        _ if cores.shared() => Level::Bad.finding(format!(
            "{shares}, so each slows the other down; more than one core is needed for more than a comparison of pairs"
        )),
        None => Level::Note.finding(format!(
            "{shares}, and the harness has none of its own; it needs little, but with a third core it disturbs nobody"
        )),
        Some(own) => Level::Ok.finding(format!("{shares}, the harness core {own}")),
    }
}

fn memory(bytes: u64, swapped: u64) -> Finding {
    let all = format!("{} of memory", numbers::mebibytes(as_f64(bytes)));
    match swapped {
        0 => Level::Ok.finding(all),
        _ => Level::Note.finding(format!(
            "{all}; {} of what programs have lies on a disk, and may come back during a run: `swapoff -a` brings it back now",
            numbers::mebibytes(as_f64(swapped))
        )),
    }
}

fn virtual_machine(is_one: Option<bool>) -> Option<Finding> {
    is_one?.then(|| {
        Level::Note.finding(
            "a virtual machine: others on the same hardware may take its time; \
             compare only what was measured soon after each other",
        )
    })
}

fn container(signs: &[String]) -> Option<Finding> {
    (!signs.is_empty()).then(|| {
        Level::Note.finding(format!(
            "a container, as {} tells: others may share its cores, and who they are may not be seen from here",
            signs.join(", ")
        ))
    })
}

fn governor(frequency: &Frequency) -> Finding {
    let Some(governors) = &frequency.governors else {
        return Level::Note
            .finding("who sets the cores' frequency cannot be seen from here, as in most virtual machines");
    };
    let names = governors.join(", ");
    if governors == &["performance"] {
        Level::Ok.finding(format!("the cores' frequency is set by `{names}`"))
    } else {
        Level::Bad.finding(format!(
            "the cores' frequency is set by `{names}`, which slows down a core that rests now and then; \
             as root: cpupower frequency-set --governor performance"
        ))
    }
}

fn turbo(is_on: bool) -> Finding {
    if is_on {
        Level::Note.finding(
            "cores run faster while others rest or are cool (turbo), so that figures depend on what else there is to do; \
             as root: echo 1 > /sys/devices/system/cpu/intel_pstate/no_turbo, \
             or echo 0 > /sys/devices/system/cpu/cpufreq/boost",
        )
    } else {
        Level::Ok.finding("cores never run faster than is promised (no turbo)")
    }
}

fn huge_pages(when: &str) -> Finding {
    let pages = format!("memory comes in pages of two megabytes: {when}");
    if when == "always" {
        Level::Note.finding(format!(
            "{pages}, so that a connection's memory is told in large steps; \
             as root: echo madvise > /sys/kernel/mm/transparent_hugepage/enabled"
        ))
    } else {
        Level::Ok.finding(pages)
    }
}

/// `root` is the folder that `/sys` lies in.
fn clock(root: &Path) -> Option<Finding> {
    let folder = root.join("sys/devices/system/clocksource/clocksource0");
    let read = |name| std::fs::read_to_string(folder.join(name)).ok();
    let current = read("current_clocksource")?.trim().to_owned();
    if QUICK_CLOCKS.contains(&current.as_str()) {
        return Some(Level::Ok.finding(format!("the clock is {current}")));
    }
    let others = read("available_clocksource").unwrap_or_default();
    let advice = match others.split_whitespace().find(|other| QUICK_CLOCKS.contains(other)) {
        Some(better) => format!("; as root: echo {better} > /{}", in_sys("current_clocksource")),
        None => String::new(),
    };
    Some(Level::Bad.finding(format!(
        "the clock is {current}, which is slow to read: servers and tools that read it for each request pay for it{advice}"
    )))
}

fn in_sys(name: &str) -> String {
    format!("sys/devices/system/clocksource/clocksource0/{name}")
}

#[cfg(test)]
mod tests {
    use super::super::assert_finding;
    use super::*;

    #[test]
    fn cores_are_enough_for_three_or_shared() {
        let cores =
            |server: usize, tool: usize, harness| Cores { server: vec![server], tool: vec![tool], harness };
        let cases = [
            (
                cores(1, 2, Some(0)),
                (Level::Ok, "servers get core 1, the load tool core 2, the harness core 0"),
            ),
            (cores(0, 1, None), (Level::Note, "the harness has none of its own")),
            (cores(0, 0, None), (Level::Bad, "each slows the other down")),
        ];
        for (cores, expected) in cases {
            assert_finding(&processor(Some("Z80"), Some(3), &cores), expected);
        }
        let unknown = processor(None, None, &cores(0, 1, None));
        assert_finding(&unknown, (Level::Note, "an unknown number of cores of an unknown processor"));
    }

    #[test]
    fn settings_become_words() {
        let governed = |names: Option<&[&str]>| Frequency {
            governors: names.map(|names| names.iter().map(ToString::to_string).collect()),
            turbo: None,
        };
        let cases = [
            (memory(16 << 30, 0), (Level::Ok, "16,384 MiB of memory")),
            (memory(16 << 30, 3 << 20), (Level::Note, "3.00 MiB of what programs have lies on a disk")),
            (governor(&governed(Some(&["performance"]))), (Level::Ok, "`performance`")),
            (
                governor(&governed(Some(&["performance", "powersave"]))),
                (Level::Bad, "cpupower frequency-set --governor performance"),
            ),
            (governor(&governed(None)), (Level::Note, "cannot be seen")),
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
        assert_finding(&container(&["/.dockerenv".into()]).unwrap(), (Level::Note, "as /.dockerenv tells"));
    }

    #[test]
    fn a_slow_clock_is_told_with_a_quicker_one() {
        let cases = [
            ("tsc\n", "tsc hpet acpi_pm\n", (Level::Ok, "the clock is tsc")),
            ("hpet\n", "tsc hpet acpi_pm\n", (Level::Bad, "echo tsc > /sys/devices/system/clocksource/")),
            ("acpi_pm\n", "acpi_pm\n", (Level::Bad, "the clock is acpi_pm")),
        ];
        for (current, available, expected) in cases {
            let root = tempfile::tempdir().unwrap();
            assert_eq!(clock(root.path()), None);
            std::fs::create_dir_all(root.path().join(in_sys(""))).unwrap();
            std::fs::write(root.path().join(in_sys("current_clocksource")), current).unwrap();
            std::fs::write(root.path().join(in_sys("available_clocksource")), available).unwrap();
            assert_finding(&clock(root.path()).unwrap(), expected);
        }
    }
}
