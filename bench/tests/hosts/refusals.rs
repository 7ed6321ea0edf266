//! Hosts that cannot be used, each with one line that says why, and hosts that can be used although
//! their login is peculiar.

use std::fs;
use std::path::Path;

use crate::mock::{suite, workload};
use crate::testbed::Testbed;

/// A command that fails before anything is measured, and one that needs the host.
const MEASURE: &str = "measure mock --out out";
const VERIFY: &str = "verify tidy --only endpoint/path";

/// The start of a login shell that mounts a disk of SIZE bytes for its cache, and runs the command
/// in another shell. The disk is removed when that shell ends.
const FULL_DISK: &str = r#"
if [ -z "$FULL" ]; then
    export FULL=yes
    mkdir -p ~/.cache
    exec unshare --mount sh -c 'mount -t tmpfs -o size=SIZE none ~/.cache && exec sh -c "$1"' sh "$BASH_EXECUTION_STRING"
fi
"#;

fn testbed() -> Option<Testbed> {
    let suite = suite(&[workload("load").tool("visit")]);
    Testbed::warm(&["alpha", "beta"], &["tidy"], &suite)
}

#[test]
fn a_host_that_cannot_be_used_is_one_clear_line() {
    let Some(testbed) = testbed() else { return };
    let rigs = fs::read_to_string(testbed.rig.path("ssh_config")).unwrap();
    let changed = |name: &str, from: &str, to: &str| {
        let file = testbed.rig.path(name);
        assert!(rigs.contains(from), "{rigs}");
        fs::write(&file, rigs.replace(from, to)).unwrap();
        format!("ssh -F {}", file.display())
    };
    let as_is = testbed.rig.ssh();
    let unknown = changed("unknown", "/known_hosts", "/no_hosts");
    // A key that no host accepts.
    let refused = changed("refused", "/identity\n", "/hosts/beta/host_key\n");

    // The command, its hosts, the `ssh` command that reaches them, and the error.
    let cases = [
        (
            VERIFY,
            "--server-host alpha",
            &unknown,
            "host alpha: it cannot be reached: ssh ended with exit status: 255: Host key verification failed.",
        ),
        (
            VERIFY,
            "--server-host nowhere",
            &as_is,
            "host nowhere: it cannot be reached: ssh ended with exit status: 255: ssh: Could not resolve hostname nowhere: ",
        ),
        (
            VERIFY,
            "--server-host=-oProxyCommand=x",
            &as_is,
            "\"-oProxyCommand=x\" is not the name of a host, as ssh takes it",
        ),
        (
            MEASURE,
            "--server-host alpha --load-host=-v",
            &as_is,
            "\"-v\" is not the name of a host, as ssh takes it",
        ),
        (
            MEASURE,
            "--server-host alpha --load-host alpha",
            &as_is,
            "alpha is the server's host, and a load host: name another",
        ),
        (
            MEASURE,
            "--load-host localhost",
            &as_is,
            "localhost is the server's host, and a load host: name another",
        ),
        (
            MEASURE,
            "--load-host alpha --load-host beta --load-host alpha",
            &as_is,
            "--load-host alpha is named twice",
        ),
        (VERIFY, "--server-host alpha", &refused, "Permission denied (publickey)."),
        (VERIFY, "--server-host alpha", &"no-such-ssh".to_owned(), "host alpha: cannot start no-such-ssh: "),
    ];
    for (command, hosts, ssh, expected) in cases {
        let (output, text) = testbed.run_by(ssh, &format!("{command} {hosts}"));
        assert_eq!(output.status.code(), Some(1), "{hosts}: {text}");
        let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
        let [line] = lines[..] else { panic!("{hosts}: one line: {text}") };
        assert!(line.starts_with("error: ") && line.contains(expected), "{hosts}: {text}");
        assert!(!line.contains("\\u"), "{hosts}: {text}");
    }
    assert!(!testbed.checkout.path("out").exists());
}

/// The disk has no room for the helper, for `visit`, or for a file of the server.
#[test]
fn a_full_disk_is_one_clear_line() {
    let Some(testbed) = Testbed::new(&["alpha"], &["tidy"], &suite(&[workload("load")])) else { return };
    testbed.checkout.write("servers/mock/tidy/large", &"x".repeat(8 * 1024 * 1024));
    let helper = Path::new(env!("CARGO_BIN_EXE_bench")).metadata().unwrap().len();
    let visit = Path::new(env!("CARGO_BIN_EXE_bench")).with_file_name("visit");
    let programs = helper + visit.metadata().unwrap().len();
    let cases = [
        (
            1024 * 1024,
            "host alpha: it cannot be reached: ssh ended with exit status: 1: no room for the helper in ",
        ),
        (helper + 1024 * 1024, "host alpha: cannot copy "),
        (programs + 1024 * 1024, "cannot copy tidy: host alpha: cannot copy "),
    ];
    for (size, expected) in cases {
        let script = FULL_DISK.replace("SIZE", &size.to_string());
        fs::write(testbed.home("alpha").join(".bashrc"), script).unwrap();
        let text = testbed.expect(&format!("{VERIFY} --server-host alpha"), 1, expected);
        assert!(size < helper || text.contains("No space left on device"), "{text}");
        assert!(!testbed.home("alpha").join(".cache/hello-bench").exists());
    }
}

#[test]
fn a_host_with_a_peculiar_login_is_as_good_as_another() {
    let Some(testbed) = testbed() else { return };
    let address = testbed.rig.address("alpha");
    let config = testbed.rig.path("peculiar");
    let included = testbed.rig.path("ssh_config");
    let lines = format!(
        "Host short\n HostName {address}\n Port 2222\n User root\n HostKeyAlias {address}\n IdentityFile {}\n \
         UserKnownHostsFile {}\nHost *\n Include {}\n",
        testbed.rig.path("identity").display(),
        testbed.rig.path("known_hosts").display(),
        included.display(),
    );
    fs::write(&config, lines).unwrap();
    let own = format!("ssh -F {}", config.display());
    // The first commands of the login shell, the command that reaches the host, and the host.
    let cases = [
        ("echo Welcome; echo; printf 'hello there: '; echo '{\"number\":1}'", testbed.rig.ssh(), "alpha"),
        ("printf 'without an end of line'; echo; echo complaint >&2", testbed.rig.ssh(), "alpha"),
        ("export PATH=/usr/bin:/bin; unset LANG; umask 077; cd /", testbed.rig.ssh(), "alpha"),
        ("set -u; alias exec=false; trap '' TERM HUP PIPE", testbed.rig.ssh(), "alpha"),
        ("", own.clone(), "short"),
        ("", own, "root@short"),
    ];
    for (shell, ssh, host) in cases {
        fs::write(testbed.home("alpha").join(".bashrc"), format!("{shell}\n")).unwrap();
        let (output, text) = testbed.run_by(&ssh, &format!("{VERIFY} --server-host {host}"));
        assert_eq!(output.status.code(), Some(0), "{shell} {host}: {text}");
        assert!(text.contains("as known: 1 of 1 cases pass"), "{shell} {host}: {text}");
    }
}
