//! What is written is read back as the same tables.

use landkarte::content::read;
use landkarte::write;
use registerlandkarte::Table;

use super::sample::{file, files};

#[test]
fn csv_is_read_back() {
    let tables = read(&files()).unwrap();
    let written = Table::ALL.map(|table| {
        file(
            &format!("alles.{}.csv", table.name()),
            &write::csv(table, &tables).unwrap(),
        )
    });
    assert_eq!(read(&written).unwrap(), tables);
}

#[test]
fn toml_is_read_back() {
    let tables = read(&files()).unwrap();
    let written = Table::ALL.map(|table| file(&format!("{}.toml", table.name()), &write::toml(table, &tables)));
    assert_eq!(read(&written).unwrap(), tables);
}

#[test]
fn json_has_every_value() {
    let tables = read(&files()).unwrap();
    let json = write::json(&tables);
    assert_eq!(json["notice"], landkarte::NOTICE);
    assert_eq!(json["register"][1]["vip"], 12);
    assert_eq!(json["permission"][0]["valid_from"], "2026-01-01T00:00:00Z");
    assert_eq!(json["instance"][2]["areas"][0], "bund");
    assert_eq!(json["evidence"][1]["categories"][1], "Name, Sitz");
}

#[test]
fn the_published_schema_is_that_of_the_reader() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/landkarte.schema.json");
    let published: serde_json::Value = text::json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(published, landkarte::schema::json_schema());
}
