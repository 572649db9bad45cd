//! Mutants of a message that our writer wrote: it has no comment, no CDATA and no white space between elements.

use std::collections::BTreeSet;

/// A changed message.
pub(crate) struct Mutant {
    /// The change, and the place where it was made.
    pub(crate) what: String,
    pub(crate) xml: String,
}

/// An element of the message.
struct Element {
    /// The names from the root to this element.
    path: String,
    parent: String,
    /// The name with its prefix.
    tag: String,
    name: String,
    /// Where the element begins, where its content begins and ends, and where it ends.
    begin: usize,
    content: usize,
    content_end: usize,
    end: usize,
    /// Whether it contains elements.
    has_children: bool,
}

/// Elements that may be absent, or, named with their parent, absent there.
const OPTIONAL: &str = " AuthorizedRepresentative BirthName PlaceOfBirth CurrentAdress RegisteredAddress Address Gender \
    SectorSpecificAttribute IDNr LegalPersonIdentifier NaturalPerson/Identifier LegalPerson/Identifier FullAddress \
    Thoroughfare LocatorDesignator AdminUnitLevel1 AdminUnitLevel2 PostCode PostCityName ConformsTo Transformation \
    Language Description ValidityPeriod Detail Timestamp Requirement Country ";
/// Elements that may be repeated.
const REPEATED: &str = " SectorSpecificAttribute LegalPerson/Identifier Language Requirement ";
/// Attributes that may be absent.
const OPTIONAL_ATTRIBUTES: [&str; 3] = ["produktversion", "test", "listURI"];

/// What belongs in no element.
const EXTRAS: [&str; 6] = ["<xn-bk:x/>", "<code/>", "&#1;", "&x;", "<?x y?>", "</a>"];
/// Elements that have a type with few values, none of which is one of [`VALUES`].
const TYPED: &str = " nachrichtenUUID erstellungszeitpunkt IssueDateTime EvidenceResponseIdentifier \
    OrderResponseIdentifier GetEvidenceResponseIdentifier SpecificationIdentifier EvidenceTypeClassification IssuingDate \
    StartDate EndDate DateOfBirth IDNr ConformsTo Transformation ResponseAvailableDateTime Timestamp Severity id ";
/// Values that none of the types of [`TYPED`] has.
const VALUES: [&str; 14] = [
    "",
    " ",
    "x",
    "0",
    "2027-02-30",
    "0000-01-01",
    "2027-01-15T25:00:00Z",
    "2027-01-15T08:00:60Z",
    "2027-01-15 08:00:00Z",
    "00000000-0000-0000-0000-00000000000g",
    "URN:UUID:00000000-0000-0000-0000-000000000001",
    "https://sr.oots.tech.ec.europa.eu/",
    "1234567890\u{661}",
    "u\u{308}",
];

/// The mutants of messages. A place is mutated in the first message that has it.
#[derive(Default)]
pub(crate) struct Mutants {
    places: BTreeSet<String>,
    made: Vec<Mutant>,
    count: usize,
}

impl Mutants {
    /// The mutants of this message at the places that no message before had.
    pub(crate) fn of(&mut self, xml: &str) -> Vec<Mutant> {
        let elements = elements(xml);
        for element in &elements {
            let next = elements.iter().find(|next| next.begin == element.end);
            if self.places.insert(element.path.clone()) {
                of_name(xml, element, self);
                of_content(xml, element, self);
                of_attributes(xml, element, self);
                of_place(xml, element, next, self);
            }
        }
        self.count += self.made.len();
        std::mem::take(&mut self.made)
    }

    /// How many there were.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    fn add(&mut self, what: String, xml: String) {
        self.made.push(Mutant { what, xml });
    }
}

fn replaced(xml: &str, range: std::ops::Range<usize>, with: &str) -> String {
    format!("{}{with}{}", &xml[..range.start], &xml[range.end..])
}

/// Another name, or the same in another namespace.
fn of_name(xml: &str, element: &Element, mutants: &mut Mutants) {
    let mut tags = vec![
        format!("{}x", element.tag),
        element.tag.to_uppercase(),
        String::from("code2"),
    ];
    for prefix in ["xn-de", "xn-bk"] {
        tags.push(format!("{prefix}:{}", element.name));
    }
    tags.push(element.name.clone());
    for tag in tags.iter().filter(|tag| **tag != element.tag) {
        mutants.add(format!("{} is named {tag}", element.path), {
            let start = element.begin + 1;
            let closed = replaced(xml, element.content_end + 2..element.end - 1, tag);
            replaced(&closed, start..start + element.tag.len(), tag)
        });
    }
}

/// Something in the element that does not belong there, or another value.
fn of_content(xml: &str, element: &Element, mutants: &mut Mutants) {
    let mut extras = EXTRAS.to_vec();
    if element.has_children {
        extras.extend(["x", "\u{a0}", "<![CDATA[x]]>"]);
    }
    for extra in extras {
        let what = format!("{} ends with {extra:?}", element.path);
        mutants.add(what, replaced(xml, element.content_end..element.content_end, extra));
    }
    if TYPED.contains(&format!(" {} ", element.name)) && !element.has_children {
        for value in VALUES {
            let what = format!("{} is {value:?}", element.path);
            mutants.add(what, replaced(xml, element.content..element.content_end, value));
        }
    }
}

/// An attribute too many, or one that is missing.
fn of_attributes(xml: &str, element: &Element, mutants: &mut Mutants) {
    let end = element.content - 1;
    for extra in [
        "x=''",
        "xn-bk:id='a'",
        "xml:lang='de'",
        "listuri=''",
        "y:x=''",
        "x",
        "xmlns:y=''",
    ] {
        let what = format!("{} with {extra}", element.path);
        mutants.add(what, replaced(xml, end..end, &format!(" {extra}")));
    }
    let tag = &xml[element.begin..end];
    let attributes = tag.split(' ').skip(1).filter_map(|attribute| attribute.split_once('='));
    for (name, _) in attributes.filter(|(name, _)| !name.starts_with("xmlns")) {
        let at = element.begin + tag.find(&format!(" {name}=")).unwrap();
        let mut others = vec![format!(" {name}x=")];
        if !OPTIONAL_ATTRIBUTES.contains(&name) && element.name != "nachrichtentyp" {
            // A declaration of a prefix in its place, so that the attribute is missing.
            others.push(format!(" xmlns:{name}="));
        }
        for other in others {
            let what = format!("{} with {other} for {name}", element.path);
            mutants.add(what, replaced(xml, at..at + name.len() + 2, &other));
        }
    }
}

/// The element missing, repeated, in itself, or after the next one.
fn of_place(xml: &str, element: &Element, next: Option<&Element>, mutants: &mut Mutants) {
    let path = &element.path;
    let whole = &xml[element.begin..element.end];
    let with_parent = format!("{}/{}", element.parent, element.name);
    let is_in = |list: &str| {
        [&element.name, &with_parent]
            .iter()
            .any(|name| list.contains(&format!(" {name} ")))
    };
    if !is_in(OPTIONAL) {
        mutants.add(format!("{path} is missing"), {
            replaced(xml, element.begin..element.end, "")
        });
    }
    if !is_in(REPEATED) {
        mutants.add(format!("{path} is repeated"), {
            replaced(xml, element.end..element.end, whole)
        });
    }
    mutants.add(format!("{path} is in itself"), {
        replaced(xml, element.content..element.content_end, whole)
    });
    if let Some(next) = next.filter(|next| next.name != element.name) {
        mutants.add(format!("{path} is after {}", next.name), {
            let swapped = format!("{}{whole}", &xml[next.begin..next.end]);
            replaced(xml, element.begin..next.end, &swapped)
        });
    }
}

/// Finds the elements.
fn elements(xml: &str) -> Vec<Element> {
    let mut elements: Vec<Element> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut at = xml.find("?>").unwrap();
    while let Some(begin) = xml[at..].find('<').map(|found| at + found) {
        let end = begin + xml[begin..].find('>').unwrap() + 1;
        if xml[begin..].starts_with("</") {
            let element = &mut elements[open.pop().unwrap()];
            (element.content_end, element.end) = (begin, end);
        } else {
            let tag = xml[begin + 1..end - 1].split(' ').next().unwrap().to_owned();
            let name = tag.rsplit(':').next().unwrap().to_owned();
            let parent = open.last().map(|parent| &mut elements[*parent]);
            let (path, parent) = match parent {
                Some(parent) => {
                    parent.has_children = true;
                    (format!("{}/{name}", parent.path), parent.name.clone())
                }
                None => (name.clone(), String::new()),
            };
            open.push(elements.len());
            elements.push(Element {
                path,
                parent,
                tag,
                name,
                begin,
                content: end,
                content_end: end,
                end,
                has_children: false,
            });
        }
        at = end;
    }
    elements
}
