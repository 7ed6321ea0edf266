//! A small picture of the machine's cores and of who uses them, and findings about this assignment.

use textwrap::Options;

use super::finding::{Finding, Level};
use crate::analysis::summary::grouped;
use crate::machine::assignment::Layout;
use crate::machine::topology::{Core, Topology, cpu_ranges};

/// The letters of the picture, with their meaning.
const LETTERS: [(char, &str); 5] =
    [('S', "servers"), ('T', "load tool"), ('H', "harness"), ('.', "idle"), ('-', "not for this process")];

/// A placeholder for a space at which a line must not be broken.
const NO_BREAK: &str = "\u{a0}";

/// Draws the cores with the letters of their users, in one line for each node, cache and kind.
pub(crate) fn picture(layout: &Layout, width: usize) -> String {
    let topology = &layout.topology;
    let lines = grouped(topology.cores.iter().map(|core| (label(topology, core), core)));
    let widest = lines.iter().map(|(label, _)| label.len()).max().unwrap_or_default();
    let shown = lines.iter().map(|(label, cores)| {
        let first = if widest == 0 { "  ".into() } else { format!("  {label:widest$}  ") };
        let rest = " ".repeat(first.len());
        let cells: Vec<String> = cores.iter().map(|core| cell(layout, core)).collect();
        let options = Options::new(width).initial_indent(&first).subsequent_indent(&rest);
        textwrap::fill(&cells.join(" "), options).replace(NO_BREAK, " ") + "\n"
    });
    let shown: String = shown.collect();
    let cells: String = topology.cores.iter().map(|core| cell(layout, core)).collect();
    let own = LETTERS.iter().filter(|(letter, _)| cells.contains(*letter));
    let own: Vec<String> = own.map(|(letter, meaning)| format!("{letter} {meaning}")).collect();
    let legend = format!("{}. Threads of one core, by number, are in one bracket.", own.join(", "));
    let legend = textwrap::fill(&legend, Options::new(width).initial_indent("  ").subsequent_indent("  "));
    format!("{shown}{legend}\n")
}

/// Returns findings about the cores that servers, load tool and harness get in this layout.
pub(crate) fn cores(layout: &Layout) -> Vec<Finding> {
    let topology = &layout.topology;
    let conflicts = layout.conflicts().into_iter().map(|conflict| {
        let level = if conflict.is_severe() { Level::Bad } else { Level::Note };
        level.finding(conflict.to_string())
    });
    let hidden = (!topology.is_visible).then(|| {
        Level::Note.finding(
            "which CPUs are threads of one core is not visible from here: if server and load tool share a core, each \
             slows the other down",
        )
    });
    let threads = topology.usable_cores().any(|core| core.usable.len() > 1);
    let idle = (threads && layout.conflicts().iter().all(|conflict| !conflict.is_severe())).then(|| {
        Level::Ok
            .finding("one thread of each core is used, and the others are left idle; `--smt on` uses all")
    });
    let offline = (!topology.offline.is_empty())
        .then(|| Level::Ok.finding(format!("CPUs that are switched off: {}", cpu_ranges(&topology.offline))));
    conflicts.chain(hidden).chain(idle).chain(offline).collect()
}

/// The node, the cache and the kind of a core. A node or cache is named only if there are several.
fn label(topology: &Topology, core: &Core) -> String {
    let is_one_of_several = |get: fn(&Core) -> Option<usize>| {
        let is_other = |other: &Core| get(other) != get(core);
        get(core).filter(|_| topology.cores.iter().any(is_other))
    };
    let parts = [
        is_one_of_several(|core| core.node).map(|node| format!("node {node}")),
        is_one_of_several(|core| core.cache).map(|first| format!("cache of {first}")),
        core.kind.map(|kind| kind.to_string()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// The text for a core, such as `[S0 .8]`, in which no line is broken.
fn cell(layout: &Layout, core: &Core) -> String {
    let cores = &layout.cores;
    let thread = |cpu: &usize| {
        let letters = [
            (cores.server.contains(cpu), "S"),
            (cores.tool.contains(cpu), "T"),
            (cores.harness == Some(*cpu), "H"),
            (!core.usable.contains(cpu), "-"),
        ];
        let letters: String =
            letters.iter().filter(|(is_its, _)| *is_its).map(|(_, letter)| *letter).collect();
        format!("{}{cpu}", if letters.is_empty() { "." } else { &letters })
    };
    format!("[{}]", core.cpus.iter().map(thread).collect::<Vec<_>>().join(NO_BREAK))
}

#[cfg(test)]
mod tests {
    use super::super::finding::assert_finding;
    use super::*;
    use crate::machine::assignment::Choice;

    #[test]
    fn cores_are_drawn_with_those_who_use_them() {
        let cases = [
            (
                ("two-ccx", "0-15"),
                "  cache of 0  [H0 .8] [S1 .9] [S2 .10] [S3 .11]\n  cache of 4  [T4 .12] [T5 .13] [T6 .14] [T7 .15]\n",
            ),
            (
                ("two-ccx", "3,7,11"),
                "  cache of 0  [-0 -8] [-1 -9] [-2 -10] [S3 .11]\n  cache of 4  [-4 -12] [-5 -13] [-6 -14] [T7 -15]\n",
            ),
            (
                ("laptop-hybrid", "0-19"),
                "  performance  [S0 .1] [S2 .3] [S4 .5] [T6 .7] [T8 .9]\n               [T10 .11]\n  \
                 efficient    [H12] [.13] [.14] [.15] [.16] [.17]\n               [.18] [.19]\n",
            ),
            (("one-core", "0"), "  [ST0]\n"),
            (("siblings", "0-1"), "  [S0 T1]\n"),
            (("offline", "0,2-4,7"), "  [H0 .4] [S2] [T3 .7]\n"),
        ];
        for ((machine, usable), expected) in cases {
            let layout = Layout::recorded(machine, usable, &Choice::default());
            let drawn = picture(&layout, 55);
            assert!(drawn.starts_with(&format!("{expected}  S servers, T load tool")), "{machine}:\n{drawn}");
        }
    }

    #[test]
    fn what_is_wrong_with_the_cores_is_found() {
        let cases: [(_, &[(Level, &str)]); 5] = [
            (("smt-off", "0-7"), &[(Level::Ok, "switched off: 8-15")]),
            (("siblings", "0-1"), &[(Level::Bad, "CPUs 0 and 1 are threads of one core")]),
            (("two-ccx", "0-15"), &[(Level::Ok, "`--smt on` uses all")]),
            (
                ("two-ccx", "3,7,11"),
                &[(Level::Note, "but not to this process (15)"), (Level::Ok, "are left idle")],
            ),
            (("arm-server", "0-79"), &[]),
        ];
        for ((machine, usable), expected) in cases {
            let found = cores(&Layout::recorded(machine, usable, &Choice::default()));
            assert_eq!(found.len(), expected.len(), "{machine}: {found:?}");
            for (finding, expected) in found.iter().zip(expected) {
                assert_finding(finding, *expected);
            }
        }
    }
}
