//! Scenarios of a server whose user has no privileges, and whose machine refuses it threads or files.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::unistd::geteuid;

use super::program::{Program, Server};

/// A user that is not root, since the limit of threads does not apply to root.
const OTHER_USER: u32 = 54_321;

const CONNECTIONS: usize = 100;

/// When no thread can be started, the server prints one line that says so, and is never ready.
pub fn without_threads_it_does_not_start(program: &Program) {
    let refused = start_limited(&User::without_privileges(program), program, "--nproc=1");
    let said = refused.err().unwrap();
    assert!(said.contains("cannot start "), "{said}");
}

/// Without descriptors for connections, it prints one line that says so, and is never ready.
pub fn without_descriptors_it_does_not_start(program: &Program) {
    for limit in ["--nofile=8", "--nofile=64"] {
        let said = start_limited(&User::without_privileges(program), program, limit).err().unwrap();
        assert!(said.contains(" open files leaves ") && said.contains("`ulimit -n`"), "{limit}: {said}");
    }
}

/// For any limit of threads and processes, the server answers when it is ready, or prints one line
/// that says why it is not.
pub fn with_few_threads_it_answers_or_does_not_start(program: &Program) {
    let mut user = User::without_privileges(program);
    for limit in 2..10 {
        // Each limit has its own user: an ended process counts until its parent has waited for it.
        user.id += 1;
        match start_limited(&user, program, &format!("--nproc={limit}")) {
            Err(said) => assert!(said.contains("cannot start "), "{limit}: {said}"),
            Ok(mut server) => {
                assert!(server.connect().get("/few"), "stays open");
                server.terminate();
                assert!(server.wait().success());
            }
        }
    }
}

/// Starts the server with a limit set by `prlimit`. Fails with the line that the server prints when
/// it is not ready.
fn start_limited(user: &User, program: &Program, limit: &str) -> Result<Server, String> {
    let mut command = user.command("prlimit");
    command.arg(limit).arg(&user.program).stdin(Stdio::null());
    program.try_start_by(command, &[], Stdio::piped()).map_err(|mut server| {
        let said = std::io::read_to_string(server.stderr.take().unwrap()).unwrap();
        assert_eq!(server.wait().unwrap().code(), Some(1), "{limit}: {said}");
        assert!(said.starts_with("error: ") && said.lines().count() == 1, "{limit}: {said}");
        said
    })
}

/// A ready server answers all requests and drains, without privileges and without further threads.
pub fn without_further_threads_it_serves_and_drains(program: &Program) {
    let user = User::without_privileges(program);
    let path = user.program.as_os_str();
    let mut server = program.start_by(user.command(path), &[], Stdio::null());
    let mut limit = user.command("prlimit");
    assert!(limit.args(["--nproc=1", "--pid", &server.id().to_string()]).status().unwrap().success());

    let mut clients: Vec<_> = (0..CONNECTIONS).map(|_| server.connect()).collect();
    for round in ["/first", "/second"] {
        clients.iter_mut().for_each(|client| client.ask(round));
        clients.iter_mut().for_each(|client| assert!(client.expect(round), "stays open"));
    }
    let mut half_written = server.connect();
    half_written.send("GET /late HTTP/1.1\r\nHo");
    server.wait_until_read(&half_written);
    server.terminate();
    // Answers close the connection as soon as the server has handled the signal.
    while clients[0].get("/draining") {}
    half_written.send("st: h\r\n\r\n");
    assert!(!half_written.expect("/late"), "closes");
    assert!(server.wait().success());
}

/// A user without privileges, and a program that this user may run.
struct User {
    id: u32,
    program: PathBuf,
    /// The folder of a copy of the program, which is removed at the end.
    copy: Option<PathBuf>,
}

impl User {
    /// Returns the user of the test, or another one when that is root. The other user gets a copy
    /// of the program, since only root may have access to root's folders.
    fn without_privileges(program: &Program) -> Self {
        if !geteuid().is_root() {
            return Self { id: geteuid().as_raw(), program: program.path.into(), copy: None };
        }
        let script = "d=$(mktemp -d) && chmod 755 $d && cp \"$0\" $d/ && echo $d";
        // A shell makes the copy: a program that any process has open for writing cannot be
        // started, and children of other tests would have this process's descriptors for a moment.
        let made = Command::new("sh").args(["-c", script, program.path]).output().unwrap();
        let copy = PathBuf::from(String::from_utf8(made.stdout).unwrap().trim_end());
        let name = Path::new(program.path).file_name().unwrap();
        Self { id: OTHER_USER, program: copy.join(name), copy: Some(copy) }
    }

    /// Returns a command that runs as this user.
    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir("/");
        if self.copy.is_some() {
            command.uid(self.id).gid(self.id);
        }
        command
    }
}

impl Drop for User {
    fn drop(&mut self) {
        if let Some(copy) = &self.copy {
            let _ = std::fs::remove_dir_all(copy);
        }
    }
}
