//! A small Registerlandkarte.

use landkarte::content::SourceFile;

pub(crate) const TOML: &str = r#"schema = 1
notice = "Dies ist eine Lesart der Gesetze und keine Rechtsberatung."

[[class]]
id = "wohngeldbehoerde"
name = "Wohngeldbehörde"

[[class]]
id = "gewerbebehoerde"
name = "Gewerbebehörde"

[[register]]
id = "melderegister"
name = "Melderegister"
idnrg = 1
subjects = "natural"
norm = "bmg-3"

[[register]]
id = "handelsregister"
name = "Handelsregister"
vip = 12
subjects = "both"
norm = "bmg-3"

[[evidence]]
id = "anschrift"
register = "melderegister"
title = "Derzeitige Anschrift"
categories = ["Name", "Anschrift"]

[[evidence]]
id = "eintragung"
register = "handelsregister"
title = "Eintragung"
categories = ["Firma", "Name, Sitz"]

[[norm]]
id = "bmg-3"
law = "BMG"
section = "§ 3 Absatz 1"
heading = "Speicherung von Daten"
permits = "Eine Meldebehörde speichert Daten."
repository = "kmein/gesetze"
path = "laws/BMG-BJNR108410013.md"
commit = "cce3209c04aaea4b65ec92e7a0f8ff413bce1696"
read = "2026-11-29"

[[permission]]
id = "wohngeld-anschrift"
version = 1
class = "wohngeldbehoerde"
register = "melderegister"
evidence = "anschrift"
purpose = "wohngeld"
occasion = "Antrag auf Wohngeld"
norms = ["bmg-3"]
area = "any"
subjects = "natural"
idnr = true
preview = true
representation = false
retention = "idnrg-2y"
disclosure = "immediate"
valid_from = 2026-01-01T00:00:00Z
recorded_from = "2026-01-01T00:00:00Z"
"#;

pub(crate) const BODIES: &str = "\
id,name,area,classes,valid_from,valid_until,recorded_from,recorded_until
stadt-a,Stadt A,053155001001,wohngeldbehoerde,2026-01-01T00:00:00Z,,2026-01-01T00:00:00Z,
stadt-b,\"Stadt \"\"B\"\", am Fluss\",053155001002,gewerbebehoerde wohngeldbehoerde,2026-01-01T00:00:00Z,,2026-01-01T00:00:00Z,
";

pub(crate) const INSTANCES: &str = "\
component,register,body,areas,valid_from,valid_until,recorded_from,recorded_until
melde-a,melderegister,stadt-a,053155001001,2026-01-01T00:00:00Z,,2026-01-01T00:00:00Z,
melde-b,melderegister,stadt-b,053155001002 053155001003,2026-01-01T00:00:00Z,,2026-01-01T00:00:00Z,
handel,handelsregister,stadt-a,bund,2026-01-01T00:00:00Z,,2026-01-01T00:00:00Z,
";

pub(crate) fn file(name: &str, text: &str) -> SourceFile {
    SourceFile {
        name: name.to_owned(),
        bytes: text.as_bytes().to_vec(),
    }
}

/// The files of the sample.
pub(crate) fn files() -> Vec<SourceFile> {
    vec![
        file("map.toml", TOML),
        file("body.csv", BODIES),
        file("instance.csv", INSTANCES),
    ]
}
