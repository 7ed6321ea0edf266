//! `bench new`: creates a working server from a template.

use std::path::Path;

use anyhow::bail;

use super::{HEADING, Outcome, print, styled};
use crate::cli::New;
use crate::servers::checkout::{self, ServerFolders};
use crate::servers::server;
use crate::servers::template::{self, Language};

pub(super) fn run(root: Option<&Path>, arguments: &New) -> anyhow::Result<Outcome> {
    let New { name, language } = arguments;
    if let Some(fault) = server::name_fault(name) {
        bail!("`{name}` cannot be the name of a server: {fault}");
    }
    let root = checkout::root(root)?;
    let ServerFolders { with_manifest, without_manifest } = checkout::server_folders(&root)?;
    let mut taken = with_manifest.iter().chain(&without_manifest);
    if let Some(folder) = taken.find(|folder| folder.ends_with(name)) {
        bail!("the name `{name}` is taken, by {}: choose another", folder.display());
    }
    let place = format!("servers/{}/{name}", language.folder());
    let folder = root.join(&place);
    if folder.exists() {
        bail!("{} is there already, and is left as it is: choose another name", folder.display());
    }
    template::write(*language, name, &folder)?;
    print(&what_next(name, *language, &place))
}

fn what_next(name: &str, language: Language, place: &str) -> String {
    let created = match language {
        Language::Other => format!(
            "{place} is a folder for a server. README.md lists what the server has to do, and server.toml is to \
             be filled in.\nWrite the server, and move the folder to servers/<language>/."
        ),
        _ => format!(
            "{place} is a working server. Requests are handled in {code}; server.toml describes it to the harness.",
            code = language.code()
        ),
    };
    format!(
        "{created}\n\n\
         {next}\n\
         \x20 bench check {name}                       is server.toml correct?\n\
         \x20 bench verify {name} --conformance        which rules of HTTP/1.1 does it break?\n\
         \x20 bench drill {name} --short               which faults does it not survive?\n\
         \x20 bench measure quick --servers {name}     how fast is it, and what limits it?\n",
        next = styled(HEADING, "Next"),
    )
}
