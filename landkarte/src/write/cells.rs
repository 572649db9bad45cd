//! The values of rows, by their fields, in the order of the schema.

use record::Timestamp;
use registerlandkarte::{Ars, Interval};
use registerlandkarte::{
    BodyClass, Consumer, EvidenceType, ListedBody, Norm, Provider, RegisterInstance, RegisterType, Rule, Table, Tables,
};

use crate::fields::FEDERATION;
use crate::rows::disclosure_name;
use crate::schema::fields;

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A number.
    Number(u32),
    /// Yes or no.
    Flag(bool),
    /// A list.
    List(Vec<String>),
}

/// A row: a value for each field of the table, `None` where the row has none.
pub type Row = Vec<(&'static str, Option<Value>)>;

/// The rows of a table.
#[must_use]
pub fn rows(table: Table, tables: &Tables) -> Vec<Row> {
    fn all<T>(table: Table, rows: &[T], value: fn(&T, &str) -> Option<Value>) -> Vec<Row> {
        let row = |row: &T| {
            fields(table)
                .iter()
                .map(|field| (field.name, value(row, field.name)))
                .collect()
        };
        rows.iter().map(row).collect()
    }
    match table {
        Table::Class => all(table, &tables.classes, class),
        Table::Register => all(table, &tables.registers, register),
        Table::Evidence => all(table, &tables.evidence, evidence),
        Table::Norm => all(table, &tables.norms, norm),
        Table::Permission => all(table, &tables.permissions, permission),
        Table::Body => all(table, &tables.bodies, body),
        Table::Instance => all(table, &tables.instances, instance),
    }
}

fn text(value: impl ToString) -> Option<Value> {
    Some(Value::Text(value.to_string()))
}

fn list<T: ToString>(values: impl IntoIterator<Item = T>) -> Option<Value> {
    Some(Value::List(values.into_iter().map(|value| value.to_string()).collect()))
}

fn area(area: &Ars) -> String {
    let digits = area.to_string();
    if digits.is_empty() {
        FEDERATION.to_owned()
    } else {
        digits
    }
}

fn time(field: &str, valid: Interval, recorded: Interval) -> Option<Value> {
    let time: Option<Timestamp> = match field {
        "valid_from" => Some(valid.from),
        "valid_until" => valid.until,
        "recorded_from" => Some(recorded.from),
        "recorded_until" => recorded.until,
        _ => None,
    };
    time.and_then(text)
}

fn class(class: &BodyClass, field: &str) -> Option<Value> {
    match field {
        "id" => text(&class.id),
        _ => text(&class.name),
    }
}

fn register(register: &RegisterType, field: &str) -> Option<Value> {
    match field {
        "id" => text(&register.id),
        "name" => text(&register.name),
        "vip" => register.vip.map(Value::Number),
        "idnrg" => register.idnrg.map(Value::Number),
        "subjects" => text(register.subjects.as_str()),
        _ => text(&register.norm),
    }
}

fn evidence(evidence: &EvidenceType, field: &str) -> Option<Value> {
    match field {
        "id" => text(&evidence.id),
        "uri" => evidence.uri.as_ref().and_then(text),
        "register" => text(&evidence.register),
        "title" => text(&evidence.title),
        _ => list(&evidence.categories),
    }
}

fn norm(norm: &Norm, field: &str) -> Option<Value> {
    match field {
        "id" => text(&norm.id),
        "law" => text(&norm.law),
        "section" => text(&norm.section),
        "heading" => norm.heading.as_ref().and_then(text),
        "permits" => text(&norm.permits),
        "repository" => text(&norm.source.repository),
        "path" => text(&norm.source.path),
        "commit" => text(&norm.source.commit),
        _ => text(&norm.source.read),
    }
}

fn permission(rule: &Rule, field: &str) -> Option<Value> {
    match (field, &rule.consumer, &rule.provider) {
        ("id", ..) => text(&rule.id),
        ("version", ..) => Some(Value::Number(rule.version)),
        ("class", Consumer::Class(class), _) => text(class),
        ("body", Consumer::Body(body), _) => text(body),
        ("register", _, Provider::Register(register)) => text(register),
        ("component", _, Provider::Component(component)) => text(component),
        ("evidence", ..) => text(&rule.evidence),
        ("purpose", ..) => text(&rule.purpose),
        ("occasion", ..) => text(&rule.occasion),
        ("procedure", ..) => rule.procedure.as_ref().and_then(text),
        ("norms", ..) => list(&rule.norms),
        ("area", ..) => text(rule.area.as_str()),
        ("subjects", ..) => text(rule.subjects.as_str()),
        ("idnr", ..) => Some(Value::Flag(rule.idnr)),
        ("preview", ..) => Some(Value::Flag(rule.preview)),
        ("representation", ..) => Some(Value::Flag(rule.representation)),
        ("retention", ..) => text(rule.retention.as_str()),
        ("disclosure", ..) => text(disclosure_name(rule.disclosure)),
        _ => time(field, rule.valid, rule.recorded),
    }
}

fn body(body: &ListedBody, field: &str) -> Option<Value> {
    match field {
        "id" => text(&body.id),
        "name" => text(&body.name),
        "area" => text(area(&body.area)),
        "classes" if body.classes.is_empty() => None,
        "classes" => list(&body.classes),
        _ => time(field, body.valid, body.recorded),
    }
}

fn instance(instance: &RegisterInstance, field: &str) -> Option<Value> {
    match field {
        "component" => text(&instance.component),
        "register" => text(&instance.register),
        "body" => text(&instance.body),
        "areas" => list(instance.areas.iter().map(area)),
        _ => time(field, instance.valid, instance.recorded),
    }
}
