//! Rows with meaning.

use record::time::TimestampError;
use record::{DisclosureClass, RetentionClass, Timestamp};
use registerlandkarte::Interval;
use registerlandkarte::{
    AreaRelation, BodyClass, Consumer, EvidenceType, ListedBody, Norm, NormSource, Provider, RegisterInstance,
    RegisterType, Rule, Subjects, Table, Tables,
};
use text::{Reference, Title};

use crate::fields::{Fields, area};
use crate::file::raw::RawRow;
use crate::finding::{FileError, Span};

/// The places of the elements of a row's sets, which the tables keep in another order than the file.
pub type SetPlaces = Vec<(&'static str, Vec<Span>)>;

/// A row of any table.
enum AnyRow {
    Class(BodyClass),
    Register(RegisterType),
    Evidence(EvidenceType),
    Norm(Box<Norm>),
    Permission(Box<Rule>),
    Body(ListedBody),
    Instance(RegisterInstance),
}

/// Adds a row to its table.
///
/// # Errors
/// Everything that is wrong with the row, which is not added then.
pub fn add(row: &RawRow, tables: &mut Tables) -> Result<SetPlaces, Vec<(Span, FileError)>> {
    let mut fields = Fields::of(row);
    let mut places = Vec::new();
    let read = match row.table {
        Table::Class => class(&mut fields).map(AnyRow::Class),
        Table::Register => register(&mut fields).map(AnyRow::Register),
        Table::Evidence => evidence(&mut fields).map(AnyRow::Evidence),
        Table::Norm => norm(&mut fields).map(|norm| AnyRow::Norm(Box::new(norm))),
        Table::Permission => permission(&mut fields).map(|rule| AnyRow::Permission(Box::new(rule))),
        Table::Body => body(&mut fields, &mut places).map(AnyRow::Body),
        Table::Instance => instance(&mut fields, &mut places).map(AnyRow::Instance),
    };
    fields.finish()?;
    match read {
        Some(AnyRow::Class(class)) => tables.classes.push(class),
        Some(AnyRow::Register(register)) => tables.registers.push(register),
        Some(AnyRow::Evidence(evidence)) => tables.evidence.push(evidence),
        Some(AnyRow::Norm(norm)) => tables.norms.push(*norm),
        Some(AnyRow::Permission(rule)) => tables.permissions.push(*rule),
        Some(AnyRow::Body(body)) => tables.bodies.push(body),
        Some(AnyRow::Instance(instance)) => tables.instances.push(instance),
        // A value that is missing or wrong is an error, so `finish` has returned before.
        None => return Err(vec![(row.span.clone(), FileError::MissingField("id"))]),
    }
    Ok(places)
}

fn class(fields: &mut Fields<'_>) -> Option<BodyClass> {
    let (id, name) = (fields.parse("id"), fields.parse("name"));
    Some(BodyClass { id: id?, name: name? })
}

fn register(fields: &mut Fields<'_>) -> Option<RegisterType> {
    let (id, name, norm) = (fields.parse("id"), fields.parse("name"), fields.parse("norm"));
    let (vip, idnrg) = (fields.number("vip"), fields.number("idnrg"));
    let subjects = fields.word("subjects", &Subjects::ALL, Subjects::as_str);
    Some(RegisterType {
        id: id?,
        name: name?,
        vip,
        idnrg,
        subjects: subjects?,
        norm: norm?,
    })
}

fn evidence(fields: &mut Fields<'_>) -> Option<EvidenceType> {
    let (id, register, title) = (fields.parse("id"), fields.parse("register"), fields.parse("title"));
    let uri = fields.parse("uri");
    let categories = fields.list("categories", category);
    Some(EvidenceType {
        id: id?,
        uri,
        register: register?,
        title: title?,
        categories: categories.into_iter().map(|(category, _)| category).collect(),
    })
}

fn category(text: &str) -> Result<Title, FileError> {
    if text.contains(';') || text.trim() != text {
        return Err(FileError::Separator);
    }
    Ok(text.parse()?)
}

fn norm(fields: &mut Fields<'_>) -> Option<Norm> {
    let (id, law, heading) = (fields.parse("id"), fields.parse("law"), fields.parse("heading"));
    let section = fields.parse_as("section", citation);
    let permits = fields.parse("permits");
    let (repository, path) = (fields.parse("repository"), fields.parse("path"));
    let (commit, read) = (fields.parse("commit"), fields.parse("read"));
    let source = NormSource {
        repository: repository?,
        path: path?,
        commit: commit?,
        read: read?,
    };
    Some(Norm {
        id: id?,
        law: law?,
        section: section?,
        heading,
        permits: permits?,
        source,
    })
}

fn citation(text: &str) -> Result<Reference, FileError> {
    let usual = ["§ ", "§§ ", "Artikel ", "Anlage"];
    if usual.iter().any(|begin| text.starts_with(begin)) {
        Ok(text.parse()?)
    } else {
        Err(FileError::Citation)
    }
}

fn permission(fields: &mut Fields<'_>) -> Option<Rule> {
    let (consumer, provider) = (consumer(fields), provider(fields));
    let (id, version, evidence) = (fields.parse("id"), fields.number("version"), fields.parse("evidence"));
    let (purpose, occasion) = (fields.parse("purpose"), fields.parse("occasion"));
    let procedure = fields.parse("procedure");
    let norms = fields.list("norms", |text| Ok(text.parse()?));
    let area = fields.word("area", &AreaRelation::ALL, AreaRelation::as_str);
    let subjects = fields.word("subjects", &Subjects::ALL, Subjects::as_str);
    let (idnr, preview, representation) = (
        fields.flag("idnr"),
        fields.flag("preview"),
        fields.flag("representation"),
    );
    let retention = fields.word("retention", &RetentionClass::ALL, RetentionClass::as_str);
    let disclosure = fields.word("disclosure", &DISCLOSURE, disclosure_name);
    let (valid, recorded) = (times(fields, "valid_from", "valid_until"), recorded(fields));
    Some(Rule {
        id: id?,
        version: version?,
        consumer: consumer?,
        provider: provider?,
        evidence: evidence?,
        purpose: purpose?,
        occasion: occasion?,
        procedure,
        norms: norms.into_iter().map(|(norm, _)| norm).collect(),
        area: area?,
        subjects: subjects?,
        idnr: idnr?,
        preview: preview?,
        representation: representation?,
        retention: retention?,
        disclosure: disclosure?,
        valid: valid?,
        recorded: recorded?,
    })
}

const DISCLOSURE: [DisclosureClass; 2] = [DisclosureClass::Immediate, DisclosureClass::Delayed];

/// The word for a disclosure class.
#[must_use]
pub const fn disclosure_name(class: DisclosureClass) -> &'static str {
    match class {
        DisclosureClass::Immediate => "immediate",
        DisclosureClass::Delayed => "delayed",
    }
}

fn consumer(fields: &mut Fields<'_>) -> Option<Consumer> {
    match (fields.has("class"), fields.has("body")) {
        (true, false) => fields.parse("class").map(Consumer::Class),
        (false, true) => fields.parse("body").map(Consumer::Body),
        _ => {
            fields.report(FileError::Choice("permission", "class", "body"));
            None
        }
    }
}

fn provider(fields: &mut Fields<'_>) -> Option<Provider> {
    match (fields.has("register"), fields.has("component")) {
        (true, false) => fields.parse("register").map(Provider::Register),
        (false, true) => fields.parse("component").map(Provider::Component),
        _ => {
            fields.report(FileError::Choice("permission", "register", "component"));
            None
        }
    }
}

fn times(fields: &mut Fields<'_>, from: &'static str, until: &'static str) -> Option<Interval> {
    let (from, until) = (fields.parse_as(from, time), fields.parse_as(until, time));
    Some(Interval { from: from?, until })
}

/// Reads a time that has a written form of its own, which those after the year 9900 have not.
fn time(text: &str) -> Result<Timestamp, FileError> {
    let time: Timestamp = text.parse()?;
    let written: Timestamp = time.to_string().parse()?;
    if written == time {
        Ok(time)
    } else {
        Err(TimestampError.into())
    }
}

fn recorded(fields: &mut Fields<'_>) -> Option<Interval> {
    times(fields, "recorded_from", "recorded_until")
}

fn body(fields: &mut Fields<'_>, places: &mut SetPlaces) -> Option<ListedBody> {
    let (id, name, area) = (fields.parse("id"), fields.parse("name"), fields.parse_as("area", area));
    let classes = fields.set("classes", |text| Ok(text.parse()?));
    places.push(("classes", classes.iter().map(|(_, span)| span.clone()).collect()));
    let (valid, recorded) = (times(fields, "valid_from", "valid_until"), recorded(fields));
    Some(ListedBody {
        id: id?,
        name: name?,
        area: area?,
        classes: classes.into_iter().map(|(class, _)| class).collect(),
        valid: valid?,
        recorded: recorded?,
    })
}

fn instance(fields: &mut Fields<'_>, places: &mut SetPlaces) -> Option<RegisterInstance> {
    let (component, register, body) = (
        fields.parse("component"),
        fields.parse("register"),
        fields.parse("body"),
    );
    let areas = fields.set("areas", area);
    places.push(("areas", areas.iter().map(|(_, span)| span.clone()).collect()));
    let (valid, recorded) = (times(fields, "valid_from", "valid_until"), recorded(fields));
    Some(RegisterInstance {
        component: component?,
        register: register?,
        body: body?,
        areas: areas.into_iter().map(|(area, _)| area).collect(),
        valid: valid?,
        recorded: recorded?,
    })
}
