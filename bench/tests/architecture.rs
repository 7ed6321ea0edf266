//! The structure that ARCHITECTURE.md describes, compared with the imports: the modules of the
//! harness import each other in one direction, and no files of a crate import each other in a loop.
//! Another test compares the features of the packages that `scripts/sweep` builds at once with
//! those of each package that cargo builds alone.
//!
//! A module and the modules within it belong together: it is not a loop when one of these uses a
//! definition of the module itself.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what is wrong by its panic"
)]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use syn::visit::Visit;
use syn::{Attribute, Item, ItemMod, ItemUse, UseTree};

/// The modules of the harness. Each imports only those before it.
const ORDER: [&str; 10] =
    ["text", "machine", "store", "servers", "tools", "analysis", "checks", "measure", "report", "cli"];

/// Two files that may import each other: a pool parks a connection, and parking returns it.
const MUTUAL: [&str; 2] = ["servers/rust/threads/src/parking.rs", "servers/rust/threads/src/pool.rs"];

/// The crates of the harness.
const BENCH: [&str; 5] = ["bench", "bench/answers", "bench/visit", "bench/visit/output", "bench/conformance"];

/// The maximum number of types with the same name. A reader cannot distinguish more.
const NAMESAKES: usize = 3;

/// A module's path below its crate, such as `["report", "chart"]`.
type Module = Vec<String>;

/// A path as it is written in an import, resolved to start at the crate's root.
type Import = Vec<String>;

/// One source file of a crate, which collects its imports as it is visited.
#[derive(Default)]
struct Source {
    module: Module,
    path: PathBuf,
    imports: Vec<Import>,
    /// The names that the file re-exports or imports, and the paths that they stand for.
    names: HashMap<String, Import>,
    types: Vec<String>,
}

#[test]
fn modules_import_each_other_in_one_direction() {
    let sources = sources(&root().join("bench/src"));
    let modules: BTreeSet<&str> =
        sources.iter().filter_map(|source| source.module.first()).map(String::as_str).collect();
    assert_eq!(modules, BTreeSet::from(ORDER), "the modules of bench/src");
    let place = |source: &Source| {
        ORDER.iter().position(|name| source.module.first().is_some_and(|first| first == name))
    };
    let mut backward = Vec::new();
    for (from, to) in imports(&sources) {
        let (from, to) = (&sources[from], &sources[to]);
        if place(from).is_some() && place(from) < place(to) {
            backward.push(format!("{} imports {}", from.path.display(), to.path.display()));
        }
    }
    assert!(backward.is_empty(), "imports against the order {ORDER:?}:\n{}", backward.join("\n"));
}

#[test]
fn no_files_import_each_other_in_a_loop() {
    let root = root();
    let mut crates =
        [&BENCH[..], &["shared", "shared/tokio"]].concat().into_iter().map(PathBuf::from).collect::<Vec<_>>();
    crates.extend(servers());
    let mut loops = Vec::new();
    for folder in crates {
        let sources = sources(&root.join(folder).join("src"));
        let imports = imports(&sources);
        let names = in_loops(sources.len(), &imports).map(|file| relative(&sources[file].path));
        loops.extend(names.filter(|name| !MUTUAL.contains(&name.as_str())));
    }
    assert!(loops.is_empty(), "files that import each other in a loop:\n{}", loops.join("\n"));
}

#[test]
fn few_types_share_a_name() {
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for folder in BENCH {
        for name in sources(&root().join(folder).join("src")).into_iter().flat_map(|source| source.types) {
            *count.entry(name).or_default() += 1;
        }
    }
    count.retain(|_, count| *count > NAMESAKES);
    assert!(count.is_empty(), "names of more than {NAMESAKES} types: {count:?}");
}

/// With other features, cargo would build a package again when it is built alone, and the server
/// could be a different one.
#[test]
fn what_is_built_at_once_has_the_same_features_as_alone() {
    let sweep = fs::read_to_string(root().join("scripts/sweep")).unwrap();
    for chosen in
        ["'^default = false' servers/rust/*/server.toml", "'^alone = true'", "together=(--package visit)"]
    {
        assert!(sweep.contains(chosen), "{chosen} in {sweep}");
    }
    let has = |folder: &Path, file, start| {
        fs::read_to_string(folder.join(file)).unwrap().lines().any(|line| line.starts_with(start))
    };
    let together = servers().into_iter().filter(|folder| {
        !has(folder, "server.toml", "default = false") && !has(folder, "Cargo.toml", "alone = true")
    });
    let names = together.map(|folder| format!("server-{}", folder.file_name().unwrap().display()));
    let packages: Vec<String> = names.chain(["visit".into()]).collect();
    assert!(packages.len() > 2, "several are built at once: {packages:?}");
    let all = features(&packages);
    for package in &packages {
        for one in features(std::slice::from_ref(package)) {
            assert!(
                all.contains(&one),
                "together there is no `{one}`, which {package} has alone: have a server whose dependencies ask for \
                 more built apart, by `alone = true` in `[package.metadata.build]` of its Cargo.toml"
            );
        }
    }
}

/// The dependencies of packages that are built at once, with their features.
fn features(packages: &[String]) -> BTreeSet<String> {
    let mut tree = Command::new(env!("CARGO"));
    tree.args(["tree", "--offline", "--locked", "--edges", "normal,build", "--prefix", "none"]);
    tree.args(["--format", "{p} {f}"]).current_dir(root());
    tree.args(packages.iter().flat_map(|package| ["--package", package]));
    let output = tree.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(|line| line.trim_end_matches(" (*)").trim_end().to_owned()).collect()
}

/// The folders of the servers in Rust, without folders that a change of branch has left behind.
fn servers() -> Vec<PathBuf> {
    let folders = fs::read_dir(root().join("servers/rust")).unwrap().map(|folder| folder.unwrap().path());
    folders.filter(|folder| folder.join("Cargo.toml").exists()).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().display().to_string()
}

/// The files below a crate's `src`, except for modules that only tests build.
fn sources(folder: &Path) -> Vec<Source> {
    let mut sources = Vec::new();
    for root in ["lib.rs", "main.rs"].map(|name| folder.join(name)).iter().filter(|root| root.exists()) {
        read(root, folder, &[], &mut sources);
    }
    assert!(!sources.is_empty(), "{} has sources", folder.display());
    sources
}

/// Reads a file and the modules that it declares, which lie in `folder`.
fn read(path: &Path, folder: &Path, module: &[String], sources: &mut Vec<Source>) {
    let file = syn::parse_file(&fs::read_to_string(path).unwrap())
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut source = Source { module: module.to_owned(), path: path.to_owned(), ..Source::default() };
    source.visit_file(&file);
    sources.push(source);
    for item in &file.items {
        let Item::Mod(ItemMod { attrs, ident, content: None, .. }) = item else { continue };
        if is_test(attrs) {
            continue;
        }
        let name = ident.to_string();
        let (flat, nested) = (folder.join(format!("{name}.rs")), folder.join(&name).join("mod.rs"));
        let child = if flat.exists() { flat } else { nested };
        read(&child, &folder.join(&name), &[module, &[name]].concat(), sources);
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Ident>().is_ok_and(|condition| condition == "test")
    })
}

impl Source {
    /// Returns the path from the crate's root, if `path` begins with `crate`, `self` or `super`.
    fn resolved(&self, path: &[String]) -> Option<Import> {
        let mut base = match path.first()?.as_str() {
            "crate" => Vec::new(),
            "self" => self.module.clone(),
            "super" => self.module[..self.module.len().checked_sub(1)?].to_vec(),
            _ => return None,
        };
        let mut rest = &path[1..];
        while rest.first().is_some_and(|name| name == "super") {
            base.pop()?;
            rest = &rest[1..];
        }
        base.extend_from_slice(rest);
        Some(base)
    }

    fn add_tree(&mut self, before: &[String], tree: &UseTree) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.add_tree(&with(&path.ident), &path.tree),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.add_tree(before, tree)),
            UseTree::Name(name) if name.ident == "self" => self.add(before, before.last()),
            UseTree::Name(name) => self.add(&with(&name.ident), Some(&name.ident.to_string())),
            UseTree::Rename(rename) => self.add(&with(&rename.ident), Some(&rename.rename.to_string())),
            UseTree::Glob(_) => self.add(before, None),
        }
    }

    fn add(&mut self, path: &[String], name: Option<&String>) {
        // Otherwise the path may be `child::Name`, in a module that declares `child`.
        let path = self.resolved(path).unwrap_or_else(|| [&self.module[..], path].concat());
        if let Some(name) = name {
            self.names.insert(name.clone(), path.clone());
        }
        self.imports.push(path);
    }
}

impl<'ast> Visit<'ast> for Source {
    fn visit_item(&mut self, item: &'ast Item) {
        let (attributes, name) = match item {
            Item::Mod(item) => (&item.attrs, None),
            Item::Fn(item) => (&item.attrs, None),
            Item::Impl(item) => (&item.attrs, None),
            Item::Use(item) => (&item.attrs, None),
            Item::Struct(item) => (&item.attrs, Some(&item.ident)),
            Item::Enum(item) => (&item.attrs, Some(&item.ident)),
            Item::Trait(item) => (&item.attrs, Some(&item.ident)),
            Item::Type(item) => (&item.attrs, Some(&item.ident)),
            _ => return syn::visit::visit_item(self, item),
        };
        if !is_test(attributes) {
            self.types.extend(name.map(ToString::to_string));
            syn::visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.add_tree(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if let Some(import) = self.resolved(&names) {
            self.imports.push(import);
        }
        syn::visit::visit_path(self, path);
    }
}

/// The pairs of a file and a file that it imports, as indices of `sources`.
fn imports(sources: &[Source]) -> BTreeSet<(usize, usize)> {
    let modules: HashMap<&[String], usize> =
        sources.iter().enumerate().map(|(place, source)| (&source.module[..], place)).collect();
    let mut edges = BTreeSet::new();
    for (from, source) in sources.iter().enumerate() {
        for import in &source.imports {
            // A name of another crate resolves to the file itself.
            let to = resolve(sources, &modules, import, 0);
            let is_within = |to: usize| source.module.starts_with(&sources[to].module);
            edges.extend(to.filter(|to| !is_within(*to)).map(|to| (from, to)));
        }
    }
    edges
}

/// The file that defines the item at a path: the deepest module on the path, or the file from which
/// that module re-exports the item.
fn resolve(
    sources: &[Source],
    modules: &HashMap<&[String], usize>,
    path: &[String],
    depth: usize,
) -> Option<usize> {
    let length = (0..=path.len()).rev().find(|length| modules.contains_key(&path[..*length]))?;
    let file = modules[&path[..length]];
    let Some(name) = path.get(length) else { return Some(file) };
    match sources[file].names.get(name) {
        // The depth is limited, since names may stand for each other.
        Some(import) if depth < 8 && import != path => {
            let import = [&import[..], &path[length + 1..]].concat();
            resolve(sources, modules, &import, depth + 1)
        }
        _ => Some(file),
    }
}

/// The files that import themselves through others.
fn in_loops(files: usize, edges: &BTreeSet<(usize, usize)>) -> impl Iterator<Item = usize> {
    (0..files).filter(|start| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![*start]);
        while let Some(file) = open.pop() {
            let next = edges.iter().filter(|(from, _)| *from == file).map(|(_, to)| *to);
            open.extend(next.filter(|to| seen.insert(*to)));
        }
        seen.contains(start)
    })
}
