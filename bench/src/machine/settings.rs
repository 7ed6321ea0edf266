//! The machine's settings, read from the files of `/proc` and `/sys` below `root`.

use std::collections::BTreeSet;
use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Files that container managers create in their containers: Docker, Podman, and any that informs
/// systemd.
const CONTAINER_FILES: [&str; 3] = [".dockerenv", "run/.containerenv", "run/systemd/container"];

/// Names of the control groups of containers: of Docker, Kubernetes, Podman and LXC.
const CONTAINER_GROUPS: [&str; 4] = ["docker", "kubepods", "libpod", "lxc"];

/// The frequency settings of the cores.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Frequency {
    /// The governor of the used cores, such as `performance`; several if the cores differ.
    pub governors: Option<Vec<String>>,
    /// Whether a core may exceed its nominal frequency while others are idle.
    pub turbo: Option<bool>,
}

/// The kernel settings that limit connections.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// The most connections that may wait to be accepted: `net.core.somaxconn`.
    pub accept_queue: Option<u32>,
    /// How many handshakes may be unfinished: `net.ipv4.tcp_max_syn_backlog`.
    pub handshake_queue: Option<u32>,
    /// The first and the last port for outgoing connections: `net.ipv4.ip_local_port_range`.
    pub outgoing_ports: Option<[u16; 2]>,
    /// Whether ports in `TIME_WAIT` are reused (`net.ipv4.tcp_tw_reuse`): 0 for no, 1 for yes, 2
    /// for the loopback interface only.
    pub held_ports_reused: Option<u8>,
}

impl Frequency {
    pub(super) fn read(root: &Path, cores: &[usize]) -> Self {
        let folder = root.join("sys/devices/system/cpu");
        let governor = |core| text(&folder.join(format!("cpu{core}/cpufreq/scaling_governor")));
        let governors: Option<BTreeSet<String>> = cores.iter().map(governor).collect();
        let flag = |name| number::<u8>(&folder.join(name)).map(|flag| flag != 0);
        Self {
            governors: governors.map(|all| all.into_iter().collect()),
            turbo: flag("intel_pstate/no_turbo").map(|off| !off).or_else(|| flag("cpufreq/boost")),
        }
    }
}

impl Network {
    pub(super) fn read(root: &Path) -> Self {
        let folder = root.join("proc/sys/net");
        let ports = text(&folder.join("ipv4/ip_local_port_range")).and_then(|range| port_range(&range));
        Self {
            accept_queue: number(&folder.join("core/somaxconn")),
            handshake_queue: number(&folder.join("ipv4/tcp_max_syn_backlog")),
            outgoing_ports: ports.map(|range| [*range.start(), *range.end()]),
            held_ports_reused: number(&folder.join("ipv4/tcp_tw_reuse")),
        }
    }
}

/// Returns the files that show that this is a container, as `systemd-detect-virt` does: a file of
/// the container manager, the control group of the first process, or its variable `container`,
/// which only root can read.
pub(super) fn container_signs(root: &Path) -> Vec<String> {
    let files = CONTAINER_FILES.into_iter().filter(|file| root.join(file).exists());
    let mut signs: Vec<String> = files.map(|file| format!("/{file}")).collect();
    let group = text(&root.join("proc/1/cgroup")).unwrap_or_default();
    if CONTAINER_GROUPS.iter().any(|name| group.contains(name)) {
        signs.push("/proc/1/cgroup".into());
    }
    let variables = fs::read(root.join("proc/1/environ")).unwrap_or_default();
    if variables.split(|byte| *byte == 0).any(|variable| variable.starts_with(b"container=")) {
        signs.push("/proc/1/environ".into());
    }
    signs
}

/// When the kernel uses transparent huge pages: the word in brackets of `always [madvise] never`.
pub(super) fn huge_pages(root: &Path) -> Option<String> {
    let choices = text(&root.join("sys/kernel/mm/transparent_hugepage/enabled"))?;
    let chosen = |word: &str| word.strip_prefix('[')?.strip_suffix(']').map(str::to_owned);
    choices.split_whitespace().find_map(chosen)
}

pub(super) fn text(file: &Path) -> Option<String> {
    Some(fs::read_to_string(file).ok()?.trim().to_owned())
}

pub(super) fn number<T: FromStr>(file: &Path) -> Option<T> {
    text(file)?.parse().ok()
}

/// Parses `ip_local_port_range`: the first and the last port, separated by a tab.
pub(super) fn port_range(text: &str) -> Option<RangeInclusive<u16>> {
    let mut ends = text.split_whitespace().map(|end| end.parse().ok());
    Some(ends.next()??..=ends.next()??)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn tree(files: &[(&str, &str)]) -> TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn reads_the_ports_for_outgoing_connections() {
        assert_eq!(port_range("32768\t60999\n"), Some(32_768..=60_999));
        for range in ["", "32768", "a b", "1 65536"] {
            assert_eq!(port_range(range), None, "{range}");
        }
    }

    #[test]
    fn reads_the_governors_and_turbo() {
        let governor = |core| format!("sys/devices/system/cpu/cpu{core}/cpufreq/scaling_governor");
        let (zero, one) = (governor(0), governor(1));
        let (zero, one) = (zero.as_str(), one.as_str());
        let intel = "sys/devices/system/cpu/intel_pstate/no_turbo";
        let others = "sys/devices/system/cpu/cpufreq/boost";
        let both = vec!["performance", "powersave"];
        let cases = [
            (vec![], None, None),
            (vec![(zero, "performance\n"), (one, "performance\n")], Some(vec!["performance"]), None),
            (vec![(zero, "powersave\n"), (one, "performance\n")], Some(both), None),
            // The governor of one of the used cores is not known.
            (vec![(zero, "performance\n")], None, None),
            (vec![(intel, "0\n")], None, Some(true)),
            (vec![(intel, "1\n")], None, Some(false)),
            (vec![(others, "1\n")], None, Some(true)),
            (vec![(others, "0\n")], None, Some(false)),
            (vec![(others, "perhaps\n")], None, None),
        ];
        for (files, governors, turbo) in cases {
            let governors = governors.map(|all| all.into_iter().map(str::to_owned).collect());
            let read = Frequency::read(tree(&files).path(), &[0, 1]);
            assert_eq!(read, Frequency { governors, turbo }, "{files:?}");
        }
    }

    #[test]
    fn reads_the_limits_of_connections() {
        let files = [
            ("proc/sys/net/core/somaxconn", "4096\n"),
            ("proc/sys/net/ipv4/tcp_max_syn_backlog", "512\n"),
            ("proc/sys/net/ipv4/ip_local_port_range", "32768\t60999\n"),
            ("proc/sys/net/ipv4/tcp_tw_reuse", "2\n"),
        ];
        let all = Network {
            accept_queue: Some(4096),
            handshake_queue: Some(512),
            outgoing_ports: Some([32_768, 60_999]),
            held_ports_reused: Some(2),
        };
        assert_eq!(Network::read(tree(&files).path()), all);
        assert_eq!(Network::read(tree(&[]).path()), Network::default());
    }

    #[test]
    fn finds_the_signs_of_a_container() {
        let (named, by_name, group) = ("run/systemd/container", "/run/systemd/container", "/proc/1/cgroup");
        let cases = [
            (vec![], vec![]),
            (vec![("proc/1/cgroup", "0::/init.scope\n"), ("proc/1/environ", "HOME=/\0TERM=linux")], vec![]),
            (vec![(".dockerenv", "")], vec!["/.dockerenv"]),
            (vec![("run/.containerenv", "")], vec!["/run/.containerenv"]),
            (vec![("proc/1/cgroup", "0::/docker/0123\n")], vec!["/proc/1/cgroup"]),
            (vec![("proc/1/environ", "HOME=/\0container=lxc\0")], vec!["/proc/1/environ"]),
            (vec![("proc/1/environ", "HOME=/\0not_container=lxc\0")], vec![]),
            (vec![(named, "podman"), ("proc/1/cgroup", "0::/libpod-0\n")], vec![by_name, group]),
        ];
        for (files, signs) in cases {
            assert_eq!(container_signs(tree(&files).path()), signs, "{files:?}");
        }
    }

    #[test]
    fn reads_when_huge_pages_are_used() {
        let cases =
            [("always [madvise] never\n", Some("madvise")), ("always madvise never\n", None), ("", None)];
        for (text, expected) in cases {
            let root = tree(&[("sys/kernel/mm/transparent_hugepage/enabled", text)]);
            assert_eq!(huge_pages(root.path()).as_deref(), expected, "{text}");
        }
        assert_eq!(huge_pages(tree(&[]).path()), None);
    }
}
