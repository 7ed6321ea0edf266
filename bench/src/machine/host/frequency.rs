//! The clock frequencies of cores.

use std::path::Path;

use crate::machine::settings::number;

/// Returns the clock frequency of each of these cores, in hertz, as the kernel last observed it.
/// `None` if the kernel does not report it, as in most virtual machines.
pub(super) fn frequencies(cores: &[usize]) -> Option<Vec<u64>> {
    read(Path::new("/"), cores)
}

/// The file has kilohertz (`Documentation/admin-guide/pm/cpufreq.rst` of Linux).
fn read(root: &Path, cores: &[usize]) -> Option<Vec<u64>> {
    let file = |core: &usize| root.join(format!("sys/devices/system/cpu/cpu{core}/cpufreq/scaling_cur_freq"));
    let hertz = |core| number::<u64>(&file(core))?.checked_mul(1000);
    cores.iter().map(hertz).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn reads_the_frequency_of_each_core() {
        // The files of cores 0 and 2, and the frequencies that are read for both.
        type Case<'a> = (&'a [(usize, &'a str)], Option<&'a [u64]>);
        let cases: [Case; 5] = [
            (&[(0, "3400000\n"), (2, "1200000\n")], Some(&[3_400_000_000, 1_200_000_000])),
            (&[(0, "3400000\n")], None),
            (&[(0, "3400000\n"), (2, "<unknown>\n")], None),
            (&[(0, "3400000\n"), (2, "18446744073709551615\n")], None),
            (&[], None),
        ];
        for (files, expected) in cases {
            let root = tempfile::tempdir().unwrap();
            for (core, text) in files {
                let folder = root.path().join(format!("sys/devices/system/cpu/cpu{core}/cpufreq"));
                fs::create_dir_all(&folder).unwrap();
                fs::write(folder.join("scaling_cur_freq"), text).unwrap();
            }
            assert_eq!(read(root.path(), &[0, 2]).as_deref(), expected, "{files:?}");
        }
    }
}
