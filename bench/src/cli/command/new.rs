//! `bench new`: a server that works, to begin with.

use std::path::Path;

use anyhow::bail;

use super::{HEADING, Outcome, print, styled};
use crate::cli::New;
use crate::servers::checkout;
use crate::servers::server;
use crate::servers::template::{self, Language};

pub(super) fn run(root: Option<&Path>, arguments: &New) -> anyhow::Result<Outcome> {
    let New { name, language } = arguments;
    if let Some(fault) = server::name_fault(name) {
        bail!("`{name}` is no name for a server: {fault}");
    }
    let root = checkout::root(root)?;
    let taken = checkout::server_folders(&root)?;
    if let Some(folder) = taken.iter().find(|folder| folder.ends_with(name)) {
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
    let made = match language {
        Language::Other => format!(
            "{place} is a folder for a server now. README.md lists what the server has to do, and server.toml is \
             to be filled in.\nWrite the server, and move the folder to servers/<language>/."
        ),
        _ => format!(
            "{place} is a server now. It answers in {code}, and server.toml says what the harness has to know of it.",
            code = language.code()
        ),
    };
    format!(
        "{made}\n\n\
         {next}\n\
         \x20 bench check {name}                       is server.toml right?\n\
         \x20 bench verify {name} --conformance        what does it get wrong of HTTP/1.1?\n\
         \x20 bench drill {name} --short               how does it stand misfortune?\n\
         \x20 bench measure quick --servers {name}     how fast is it, and what bound that?\n",
        next = styled(HEADING, "Next"),
    )
}
