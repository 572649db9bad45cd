//! The fields of each table.

use registerlandkarte::Table;
use serde_json::{Map, Value, json};

/// What a field contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A name.
    Name,
    /// A short text.
    Line,
    /// A longer text.
    Paragraph,
    /// A citation of a section.
    Citation,
    /// A number.
    Number,
    /// Yes or no.
    Flag,
    /// A time.
    Time,
    /// A day.
    Day,
    /// A commit.
    Commit,
    /// An area.
    Area,
    /// One of some words.
    Word(&'static [&'static str]),
    /// Names.
    Names,
    /// Short texts.
    Lines,
    /// Areas.
    Areas,
}

/// A field of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// The name.
    pub name: &'static str,
    /// What it contains.
    pub kind: Kind,
    /// Whether every row has it.
    pub required: bool,
    /// What it means.
    pub about: &'static str,
}

const fn must(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field {
        name,
        kind,
        required: true,
        about,
    }
}

const fn may(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field {
        name,
        kind,
        required: false,
        about,
    }
}

const SUBJECTS: Kind = Kind::Word(&["natural", "legal", "both"]);
const VALID_FROM: Field = must("valid_from", Kind::Time, "begin of the time in which it is so");
const VALID_UNTIL: Field = may(
    "valid_until",
    Kind::Time,
    "end of that time; without it, until further notice",
);
const RECORDED_FROM: Field = must("recorded_from", Kind::Time, "since when it is recorded");
const RECORDED_UNTIL: Field = may("recorded_until", Kind::Time, "when a correction took its place");

/// The fields of a table, in the order in which they are written.
#[must_use]
pub const fn fields(table: Table) -> &'static [Field] {
    match table {
        Table::Class => CLASS,
        Table::Register => REGISTER,
        Table::Evidence => EVIDENCE,
        Table::Norm => NORM,
        Table::Permission => PERMISSION,
        Table::Body => BODY,
        Table::Instance => INSTANCE,
    }
}

const CLASS: &[Field] = &[
    must("id", Kind::Name, "name of the class"),
    must("name", Kind::Line, "what its bodies are called"),
];

const REGISTER: &[Field] = &[
    must("id", Kind::Name, "name of the type of register"),
    must("name", Kind::Line, "what it is called"),
    may(
        "vip",
        Kind::Number,
        "number in the Verwaltungsdaten-Informationsplattform, where it was read",
    ),
    may("idnrg", Kind::Number, "number in the Anlage (zu § 1) IDNrG"),
    must("subjects", SUBJECTS, "of whom it has data"),
    must("norm", Kind::Name, "norm under which it is kept"),
];

const EVIDENCE: &[Field] = &[
    must("id", Kind::Name, "name of the type of evidence"),
    may(
        "uri",
        Kind::Line,
        "its identifier in messages and records; without it, the name",
    ),
    must("register", Kind::Name, "type of register that provides it"),
    must("title", Kind::Line, "title in plain words"),
    must("categories", Kind::Lines, "data categories, never values"),
];

const NORM: &[Field] = &[
    must("id", Kind::Name, "name of the norm"),
    must("law", Kind::Line, "abbreviation of the law"),
    must("section", Kind::Citation, "place in the law"),
    may(
        "heading",
        Kind::Paragraph,
        "heading of the section, if the law gives it one",
    ),
    must("permits", Kind::Paragraph, "in own words: what it permits"),
    must("repository", Kind::Line, "public collection in which it was read"),
    must("path", Kind::Line, "file in the collection"),
    must("commit", Kind::Commit, "commit of the collection"),
    must("read", Kind::Day, "day on which it was read"),
];

const BODY: &[Field] = &[
    must("id", Kind::Name, "name of the body"),
    must("name", Kind::Line, "what it is called"),
    must("area", Kind::Area, "area that it is in charge of"),
    may("classes", Kind::Names, "classes that it belongs to"),
    VALID_FROM,
    VALID_UNTIL,
    RECORDED_FROM,
    RECORDED_UNTIL,
];

const INSTANCE: &[Field] = &[
    must("component", Kind::Name, "name of the component"),
    must("register", Kind::Name, "type of register that it serves"),
    must("body", Kind::Name, "body that keeps the register"),
    must("areas", Kind::Areas, "areas that it serves"),
    VALID_FROM,
    VALID_UNTIL,
    RECORDED_FROM,
    RECORDED_UNTIL,
];

const PERMISSION: &[Field] = &[
    must("id", Kind::Name, "name of the permission"),
    must("version", Kind::Number, "1, and one more for each later version"),
    may(
        "class",
        Kind::Name,
        "class of bodies that may fetch; either this or body",
    ),
    may("body", Kind::Name, "the one body that may fetch"),
    may(
        "register",
        Kind::Name,
        "type of register that provides; either this or component",
    ),
    may("component", Kind::Name, "the one component that provides"),
    must("evidence", Kind::Name, "type of evidence"),
    must("purpose", Kind::Line, "code of the purpose"),
    must("occasion", Kind::Paragraph, "occasion (Anlass) in plain words"),
    may("procedure", Kind::Line, "LeiKa or SDG code of the procedure"),
    must("norms", Kind::Names, "norms that permit it"),
    must(
        "area",
        Kind::Word(&["any", "own", "person"]),
        "how the areas must be related",
    ),
    must("subjects", SUBJECTS, "of whom the evidence may be"),
    must("idnr", Kind::Flag, "whether the IDNr may be used"),
    must("preview", Kind::Flag, "whether the person sees a preview and decides"),
    must("representation", Kind::Flag, "whether a representative may act"),
    must(
        "retention",
        Kind::Word(&["idnrg-2y", "eu-12m"]),
        "how long records are kept",
    ),
    must(
        "disclosure",
        Kind::Word(&["immediate", "delayed"]),
        "when records are shown",
    ),
    VALID_FROM,
    VALID_UNTIL,
    RECORDED_FROM,
    RECORDED_UNTIL,
];

/// The JSON Schema of the TOML files, and of the exported JSON.
#[must_use]
pub fn json_schema() -> Value {
    let mut tables = Map::new();
    tables.insert("schema".into(), json!({ "const": 1 }));
    tables.insert("notice".into(), json!({ "const": crate::NOTICE }));
    for table in Table::ALL {
        let rows = json!({ "type": "array", "items": row_schema(table) });
        tables.insert(table.name().into(), rows);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Files of the Registerlandkarte",
        "type": "object",
        "required": ["schema"],
        "additionalProperties": false,
        "properties": tables,
    })
}

fn row_schema(table: Table) -> Value {
    let mut properties = Map::new();
    for field in fields(table) {
        let mut schema = kind_schema(field.kind);
        schema["description"] = json!(field.about);
        properties.insert(field.name.into(), schema);
    }
    let required: Vec<&str> = fields(table)
        .iter()
        .filter(|field| field.required)
        .map(|field| field.name)
        .collect();
    json!({
        "type": "object",
        "required": required,
        "additionalProperties": false,
        "properties": properties,
    })
}

fn kind_schema(kind: Kind) -> Value {
    let name = json!({ "type": "string", "pattern": "^[a-z0-9.:-]{1,64}$" });
    let line = json!({ "type": "string", "minLength": 1, "maxLength": 200 });
    let area =
        json!({ "type": "string", "pattern": "^(bund|(0[1-9]|1[0-6])([0-9]([0-9]{2}([0-9]{4}([0-9]{3})?)?)?)?)$" });
    match kind {
        Kind::Name => name,
        Kind::Line => line,
        Kind::Paragraph => json!({ "type": "string", "minLength": 1, "maxLength": 1000 }),
        Kind::Citation => json!({ "type": "string", "pattern": "^(§|Artikel|Anlage)", "maxLength": 200 }),
        Kind::Number => json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Time => json!({ "type": "string", "format": "date-time" }),
        Kind::Day => json!({ "type": "string", "format": "date" }),
        Kind::Commit => json!({ "type": "string", "pattern": "^[0-9a-f]{40}$" }),
        Kind::Area => area,
        Kind::Word(words) => json!({ "enum": words }),
        Kind::Names => json!({ "type": "array", "items": name, "uniqueItems": true }),
        Kind::Lines => json!({ "type": "array", "items": line, "minItems": 1, "uniqueItems": true }),
        Kind::Areas => json!({ "type": "array", "items": area, "minItems": 1, "uniqueItems": true }),
    }
}
