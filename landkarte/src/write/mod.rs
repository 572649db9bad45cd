//! Tables as TOML, CSV and JSON. What is written is read back as the same tables.

pub mod cells;
mod csv_text;
mod json_text;
mod toml_text;

pub use csv_text::csv;
pub use json_text::json;
pub use toml_text::toml;
