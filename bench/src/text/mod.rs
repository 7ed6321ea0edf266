//! Text that people read or write: numbers, tables, names, TOML files, progress on a terminal, and
//! how text from outside is shown there.
//!
//! It imports no other module of the harness.

pub mod layout;
pub mod names;
pub mod numbers;
pub mod progress;
pub mod toml_file;
pub mod visible;
