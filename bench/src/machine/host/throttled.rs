//! The CPU time that processes lost because their control group was throttled, as in a container
//! with a quota.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use procfs::ProcessCGroups;
use procfs::process::{MountInfo, Process};

/// Returns how long the kernel has throttled the harness's control group since the group was
/// created, summed over cores, as CPU time is. The quota belongs to the group, or to a group that
/// contains it; the times of all visible groups are added. `None` if none of them reports such a
/// time; a group without a quota may report zero.
pub(super) fn throttled() -> Option<Duration> {
    look(sum)
}

/// Returns the number of cores whose time the control group may use, by the smallest visible quota.
pub fn quota() -> Option<f64> {
    look(smallest)
}

/// Returns the result of `find` for the folders of the process's own group, in the first hierarchy
/// in which it finds something.
fn look<T>(find: impl Fn(&[PathBuf]) -> Option<T>) -> Option<T> {
    let own = Process::myself().ok()?;
    let (groups, mounts) = (own.cgroups().ok()?, own.mountinfo().ok()?);
    mounts.into_iter().find_map(|mount| find(&folders(&mount, own_group(&mount, &groups)?)))
}

/// Returns the path of the process's own group in a mounted hierarchy that can have quotas: version
/// 2, or version 1 with the controller `cpu`. Some machines have both versions, and only one of
/// them has the controller.
fn own_group<'a>(mount: &MountInfo, groups: &'a ProcessCGroups) -> Option<&'a str> {
    let version_1 = match mount.fs_type.as_str() {
        "cgroup2" => false,
        "cgroup" if mount.super_options.contains_key("cpu") => true,
        _ => return None,
    };
    let is_it = |controllers: &[String]| {
        if version_1 { controllers.iter().any(|name| name == "cpu") } else { controllers.is_empty() }
    };
    groups.0.iter().find(|group| is_it(&group.controllers)).map(|group| group.pathname.as_str())
}

/// Returns the folders of a group and of the groups that contain it, as far as a container sees
/// them.
fn folders(mount: &MountInfo, group: &str) -> Vec<PathBuf> {
    let within = Path::new(group).strip_prefix(&mount.root).unwrap_or(Path::new(""));
    within.ancestors().map(|path| mount.mount_point.join(path)).collect()
}

fn sum(folders: &[PathBuf]) -> Option<Duration> {
    let texts = folders.iter().filter_map(|folder| fs::read_to_string(folder.join("cpu.stat")).ok());
    texts.filter_map(|text| parse(&text)).reduce(|sum, time| sum + time)
}

/// Parses the throttled time in a `cpu.stat`: in microseconds in version 2, in nanoseconds in
/// version 1.
fn parse(stat: &str) -> Option<Duration> {
    stat.lines().find_map(|line| match line.split_once(' ')? {
        ("throttled_usec", time) => time.parse().ok().map(Duration::from_micros),
        ("throttled_time", time) => time.parse().ok().map(Duration::from_nanos),
        _ => None,
    })
}

fn smallest(folders: &[PathBuf]) -> Option<f64> {
    folders.iter().filter_map(|folder| quota_in(folder)).min_by(f64::total_cmp)
}

/// Returns a group's quota over its period. Without a quota, the file has `max` in version 2, and
/// -1 in version 1.
fn quota_in(folder: &Path) -> Option<f64> {
    let read = |name| fs::read_to_string(folder.join(name)).ok();
    let both = read("cpu.max").or_else(|| {
        Some(format!("{} {}", read("cpu.cfs_quota_us")?.trim(), read("cpu.cfs_period_us")?.trim()))
    })?;
    let (quota, period) = both.trim().split_once(' ')?;
    let (quota, period): (f64, f64) = (quota.parse().ok()?, period.parse().ok()?);
    (quota > 0.0 && period > 0.0).then_some(quota / period)
}

#[cfg(test)]
mod tests {
    use super::*;

    const V2: &str = "36 25 0:30 ROOT MOUNT rw,nosuid - cgroup2 cgroup2 rw,nsdelegate";
    const V1: &str = "36 25 0:30 ROOT MOUNT rw,nosuid - cgroup cgroup rw,cpu,cpuacct";
    const MEMORY: &str = "36 25 0:30 ROOT MOUNT rw,nosuid - cgroup cgroup rw,memory";

    #[test]
    fn finds_the_own_group_and_those_that_contain_it() {
        // The mounted hierarchy, its root, and the folders that are read.
        let cases: [(&str, &str, &[&str]); 7] = [
            (V2, "/", &["new/app/job", "new/app", "new"]),
            (V2, "/app", &["new/job", "new"]),
            (V2, "/app/job", &["new"]),
            // The mounted group does not contain the process's own group.
            (V2, "/../other", &["new"]),
            (V1, "/", &["new/old", "new"]),
            (V1, "/old", &["new"]),
            (MEMORY, "/", &[]),
        ];
        let groups = "9:memory:/m\n2:cpu,cpuacct:/old\n1:name=systemd:/s\n0::/app/job\n";
        let groups: ProcessCGroups = procfs::FromRead::from_read(groups.as_bytes()).unwrap();
        for (line, root, expected) in cases {
            let mount = MountInfo::from_line(&line.replace("ROOT", root).replace("MOUNT", "new")).unwrap();
            let found = own_group(&mount, &groups).map(|group| folders(&mount, group));
            let expected: Vec<PathBuf> = expected.iter().map(PathBuf::from).collect();
            assert_eq!(found.unwrap_or_default(), expected, "{line} {root}");
        }
    }

    #[test]
    fn adds_the_throttled_times() {
        let root = tempfile::tempdir().unwrap();
        let inner = root.path().join("inner");
        fs::create_dir(&inner).unwrap();
        let both = [inner.clone(), root.path().to_owned()];
        assert_eq!(sum(&both), None);
        fs::write(root.path().join("cpu.stat"), "usage_usec 7\n").unwrap();
        assert_eq!(sum(&both), None);
        fs::write(inner.join("cpu.stat"), "usage_usec 7\nthrottled_usec 40\n").unwrap();
        assert_eq!(sum(&both), Some(Duration::from_micros(40)));
        fs::write(root.path().join("cpu.stat"), "nr_throttled 1\nthrottled_usec 2\n").unwrap();
        assert_eq!(sum(&both), Some(Duration::from_micros(42)));
    }

    #[test]
    fn the_smallest_quota_counts() {
        // The inner group's files, the outer group's files, and the quota in cores.
        type Files<'a> = &'a [(&'a str, &'a str)];
        let cases: [(Files, Files, Option<f64>); 6] = [
            (&[], &[], None),
            (&[("cpu.max", "max 100000\n")], &[], None),
            (&[("cpu.max", "150000 100000\n")], &[], Some(1.5)),
            (&[("cpu.max", "150000 100000\n")], &[("cpu.max", "50000 100000\n")], Some(0.5)),
            (&[("cpu.cfs_quota_us", "200000\n"), ("cpu.cfs_period_us", "100000\n")], &[], Some(2.0)),
            (&[("cpu.cfs_quota_us", "-1\n"), ("cpu.cfs_period_us", "100000\n")], &[], None),
        ];
        for (inner_files, outer_files, expected) in cases {
            let outer = tempfile::tempdir().unwrap();
            let inner = outer.path().join("inner");
            fs::create_dir(&inner).unwrap();
            for (folder, files) in [(&inner, inner_files), (&outer.path().to_owned(), outer_files)] {
                files.iter().for_each(|(name, text)| fs::write(folder.join(name), text).unwrap());
            }
            let found = smallest(&[inner, outer.path().to_owned()]);
            assert_eq!(found, expected, "{inner_files:?} {outer_files:?}");
        }
    }

    #[test]
    fn reads_the_throttled_time() {
        let cases = [
            ("usage_usec 9\nnr_periods 3\nnr_throttled 1\nthrottled_usec 1500\nnr_bursts 0\n", Some(1500)),
            ("nr_periods 3\nnr_throttled 1\nthrottled_time 1500000\n", Some(1500)),
            ("nr_periods 0\nnr_throttled 0\nthrottled_time 0\n", Some(0)),
            ("usage_usec 9\nuser_usec 5\n", None),
            ("throttled_usec much\n", None),
            ("", None),
        ];
        for (stat, microseconds) in cases {
            assert_eq!(parse(stat), microseconds.map(Duration::from_micros), "{stat}");
        }
    }
}
