//! Text for people and from them: numbers, tables, names, TOML files, progress on a terminal, and
//! what of others' text is shown there.
//!
//! It imports no other module of the harness.

pub mod layout;
pub mod names;
pub mod numbers;
pub mod progress;
pub mod toml_file;
pub mod visible;
