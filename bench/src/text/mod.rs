//! Text for people and from them: numbers, tables, names, TOML files, and progress on a terminal.
//!
//! It imports no other module of the harness.

pub mod layout;
pub mod names;
pub mod numbers;
pub mod progress;
pub mod toml_file;
