//! Parses policy files.

use core::str::FromStr;
use std::collections::HashMap;

use super::{Group, Member, Octets, Policy, PolicyLog, Quorum, Threshold, Witness};
use crate::encoding;
use crate::note::{Algorithm, KeyError, NameError, VerifierKey};

/// The most logs, the most witnesses and the most groups of a policy.
const MAX_OF_A_KIND: usize = 1024;

/// The most bytes of a policy file.
const MAX_BYTES: usize = 16 << 20;

/// Why a policy file is refused, and at which line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the policy: {error}")]
pub struct PolicyParseError {
    /// Line, counted from 1; the last line when the file lacks a line.
    pub line: usize,
    /// What is wrong with the line.
    pub error: PolicyError,
}

/// What is wrong with a policy line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The line has an octet that a policy must not contain or no line end, or the file is too long.
    #[error("not policy text: octets 09, 0A, 20-7E, 80-FF, every line ended by LF")]
    Text,
    /// The line is not `log`, `witness`, `group` or `quorum` with its fields.
    #[error(
        "write: log <vkey> [<url>] | witness <name> <vkey> [<url>] | group <name> all|any|<k> <member>... | quorum <name>|none"
    )]
    Structure,
    /// The key is malformed.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The key of a log makes the cosignatures of witnesses.
    #[error("a log has a key of type 0x01 or 0x06; type 0x04 is for the cosignatures of witnesses")]
    NotALogKey,
    /// The key of a witness does not make cosignatures.
    #[error("a witness has a cosignature key (type 0x04 or 0x06)")]
    NotACosigner,
    /// An earlier line has the same public key (PO-3).
    #[error("this public key was listed before")]
    DuplicateKey,
    /// The name is taken or reserved (PO-1).
    #[error("the name {0:?} is taken or reserved")]
    Name(Octets),
    /// No earlier line defines the member (PO-2).
    #[error("{0:?} is not a witness or group of an earlier line")]
    UnknownMember(Octets),
    /// The member already belongs to a group (PO-2).
    #[error("{0:?} is already a member of a group")]
    SecondMembership(Octets),
    /// The threshold is not `all`, `any` or a number between 1 and the number of members.
    #[error("a group's number is 'all', 'any' or from 1 to the number of its members")]
    Threshold,
    /// The policy has more than one quorum line, or none.
    #[error("a policy has exactly one quorum line")]
    Quorum,
    /// The policy has more than 1024 logs, witnesses or groups (PO-5).
    #[error("more than {MAX_OF_A_KIND} logs, witnesses or groups")]
    TooMany,
}

#[derive(Default)]
struct Builder {
    logs: Vec<PolicyLog>,
    witnesses: Vec<Witness>,
    groups: Vec<Group>,
    quorum: Option<Quorum>,
    names: HashMap<Octets, Name>,
}

struct Name {
    member: Member,
    in_a_group: bool,
}

impl Policy {
    /// Parses a policy file.
    ///
    /// # Errors
    /// [`PolicyParseError`] with the line.
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicyParseError> {
        let at_line = |line| move |error| PolicyParseError { line, error };
        if bytes.len() > MAX_BYTES {
            return Err(at_line(1)(PolicyError::Text));
        }
        let mut builder = Builder::default();
        let mut last = 1;
        for (at, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
            last = at + 1;
            builder.line(line).map_err(at_line(last))?;
        }
        let quorum = builder.quorum.ok_or(PolicyError::Quorum).map_err(at_line(last))?;
        Ok(Self {
            logs: builder.logs,
            witnesses: builder.witnesses,
            groups: builder.groups,
            quorum,
        })
    }
}

impl FromStr for Policy {
    type Err = PolicyParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text.as_bytes())
    }
}

impl Builder {
    fn line(&mut self, line: &[u8]) -> Result<(), PolicyError> {
        let line = line.strip_suffix(b"\n").ok_or(PolicyError::Text)?;
        let allowed = |byte: &u8| matches!(byte, b'\t' | 0x20..=0x7e | 0x80..);
        if !line.iter().all(allowed) {
            return Err(PolicyError::Text);
        }
        // SPEC: fields are split on runs of SP and TAB only.
        let mut fields = line
            .split(|byte| matches!(byte, b' ' | b'\t'))
            .filter(|field| !field.is_empty());
        let Some(keyword) = fields.next() else { return Ok(()) };
        if keyword.starts_with(b"#") {
            return Ok(());
        }
        let fields: Vec<&[u8]> = fields.collect();
        match (keyword, fields.as_slice()) {
            (b"log", [key]) => self.log(key, None),
            (b"log", [key, url]) => self.log(key, Some(url)),
            (b"witness", [name, key]) => self.witness(name, key, None),
            (b"witness", [name, key, url]) => self.witness(name, key, Some(url)),
            (b"group", [name, threshold, members @ ..]) if !members.is_empty() => self.group(name, threshold, members),
            (b"quorum", [name]) => self.quorum(name),
            _ => Err(PolicyError::Structure),
        }
    }

    fn log(&mut self, key: &[u8], url: Option<&&[u8]>) -> Result<(), PolicyError> {
        let key = verifier_key(key)?;
        if key.algorithm() == Algorithm::CosignatureV1 {
            return Err(PolicyError::NotALogKey);
        }
        let url = url.map(|url| Octets::of_field(url));
        let same = |log: &PolicyLog| log.key.public_key() == key.public_key();
        if self.logs.iter().any(same) {
            return Err(PolicyError::DuplicateKey);
        }
        push(&mut self.logs, PolicyLog { key, url }).map(|_| ())
    }

    fn witness(&mut self, name: &[u8], key: &[u8], url: Option<&&[u8]>) -> Result<(), PolicyError> {
        let key = verifier_key(key)?;
        let url = url.map(|url| Octets::of_field(url));
        if key.algorithm() == Algorithm::Ed25519 {
            return Err(PolicyError::NotACosigner);
        }
        let same = |witness: &Witness| witness.key.public_key() == key.public_key();
        if self.witnesses.iter().any(same) {
            return Err(PolicyError::DuplicateKey);
        }
        let witness = Witness {
            name: Octets::of_field(name),
            key,
            url,
        };
        let at = push(&mut self.witnesses, witness)?;
        self.define(name, Member::Witness(at))
    }

    fn group(&mut self, name: &[u8], threshold: &[u8], members: &[&[u8]]) -> Result<(), PolicyError> {
        let threshold = match threshold {
            b"all" => Threshold::All,
            b"any" => Threshold::Any,
            number => {
                let count = str::from_utf8(number)
                    .ok()
                    .and_then(|number| encoding::from_decimal(number).ok())
                    .and_then(|count| usize::try_from(count).ok());
                let count = count.filter(|count| (1..=members.len()).contains(count));
                Threshold::AtLeast(count.ok_or(PolicyError::Threshold)?)
            }
        };
        let members: Result<Vec<Member>, _> = members.iter().map(|member| self.join(member)).collect();
        let group = Group {
            name: Octets::of_field(name),
            threshold,
            members: members?,
        };
        let at = push(&mut self.groups, group)?;
        self.define(name, Member::Group(at))
    }

    fn quorum(&mut self, name: &[u8]) -> Result<(), PolicyError> {
        if self.quorum.is_some() {
            return Err(PolicyError::Quorum);
        }
        self.quorum = Some(if name == b"none" {
            Quorum::None
        } else {
            let name = Octets::of_field(name);
            let named = self.names.get(&name).map(|named| named.member);
            Quorum::Of(named.ok_or(PolicyError::UnknownMember(name))?)
        });
        Ok(())
    }

    /// Defines a name (PO-1).
    fn define(&mut self, name: &[u8], member: Member) -> Result<(), PolicyError> {
        let name = Octets::of_field(name);
        if name.as_bytes() == b"none" || self.names.contains_key(&name) {
            return Err(PolicyError::Name(name));
        }
        let in_a_group = false;
        self.names.insert(name, Name { member, in_a_group });
        Ok(())
    }

    /// Makes a name a member of the group that is being read (PO-2).
    fn join(&mut self, name: &[u8]) -> Result<Member, PolicyError> {
        let name = Octets::of_field(name);
        let Some(known) = self.names.get_mut(&name) else {
            return Err(PolicyError::UnknownMember(name));
        };
        if core::mem::replace(&mut known.in_a_group, true) {
            return Err(PolicyError::SecondMembership(name));
        }
        Ok(known.member)
    }
}

/// Parses a key, whose name is UTF-8 (c2sp.org/signed-note).
fn verifier_key(field: &[u8]) -> Result<VerifierKey, PolicyError> {
    let text = str::from_utf8(field).map_err(|_| KeyError::Name(NameError))?;
    Ok(text.parse()?)
}

fn push<T>(list: &mut Vec<T>, item: T) -> Result<usize, PolicyError> {
    if list.len() == MAX_OF_A_KIND {
        return Err(PolicyError::TooMany);
    }
    list.push(item);
    Ok(list.len() - 1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::note::SignerKey;

    fn witness_key(n: u8) -> String {
        let name = format!("w.example/{n}").parse().unwrap();
        SignerKey::for_cosignatures(name, &[n; 32])
            .verifier_key()
            .unwrap()
            .to_string()
    }

    fn log_key(n: u8) -> String {
        let name = format!("log.example/{n}").parse().unwrap();
        SignerKey::for_notes(name, &[n; 32]).verifier_key().unwrap().to_string()
    }

    fn error(text: &str) -> (usize, PolicyError) {
        let error = Policy::parse(text.as_bytes()).unwrap_err();
        (error.line, error.error)
    }

    #[test]
    fn a_policy_reads_back_as_written() {
        let text = format!(
            "log {} https://log.example\nwitness a {} https://a.example/x\nwitness b {}\nwitness c {}\n\
             group g 1 a b\ngroup h all g c\nquorum h\n",
            log_key(1),
            witness_key(1),
            witness_key(2),
            witness_key(3),
        );
        let policy = Policy::parse(text.as_bytes()).unwrap();
        assert_eq!(policy.to_bytes(), text.as_bytes());
        let with = |names: &str| policy.quorum_satisfied(|witness| names.contains(witness.name.to_str().unwrap()));
        assert!(with("ac") && with("bc") && with("abc"));
        assert!(!with("ab") && !with("c") && !with(""));
    }

    #[test]
    fn blanks_and_comments_are_skipped() {
        let key = witness_key(1);
        let mut text = b" \t\n# b\xc3\xa4r \xff\n\t#\nquorum\t  w \t\n".to_vec();
        text.splice(0..0, format!("  witness\tw   {key}  \n").into_bytes());
        let policy = Policy::parse(&text).unwrap();
        assert_eq!(policy.to_bytes(), format!("witness w {key}\nquorum w\n").into_bytes());
        assert!(Policy::parse(b"quorum none\n").unwrap().quorum_satisfied(|_| false));
    }

    #[test]
    fn names_and_urls_are_opaque_octets() {
        let (a, b) = (witness_key(1), witness_key(2));
        // Two names that differ in octets which are not UTF-8, and one that `Display` shows like the first.
        let mut text = Vec::new();
        for part in [
            &b"log "[..],
            log_key(1).as_bytes(),
            b" https://\xe9.example\nwitness \xff ",
            a.as_bytes(),
            b" http://\x80\nwitness \xfe ",
            b.as_bytes(),
            b"\ngroup \\xff all \xff \xfe\nquorum \\xff\n",
        ] {
            text.extend(part);
        }
        let policy = Policy::parse(&text).unwrap();
        assert_eq!(policy.to_bytes(), text);
        assert!(policy.quorum_satisfied(|_| true));
        assert!(!policy.quorum_satisfied(|witness| witness.name.as_bytes() == b"\xff"));
        assert_eq!(policy.witnesses()[0].url.as_ref().unwrap().to_str(), None);
        // The Kelvin sign is not the letter K.
        let kelvin = format!("witness K {a}\nquorum \u{212a}\n");
        assert!(matches!(error(&kelvin), (2, PolicyError::UnknownMember(_))));
        let key_name = [b"log \xff", log_key(1).as_bytes(), b"\nquorum none\n"].concat();
        let refused = Policy::parse(&key_name).unwrap_err().error;
        assert_eq!(refused, PolicyError::Key(KeyError::Name(NameError)));
    }

    #[test]
    fn each_line_has_a_key_of_its_type() {
        let (log, witness) = (log_key(1), witness_key(1));
        assert_eq!(
            error(&format!("log {witness}\nquorum none\n")),
            (1, PolicyError::NotALogKey)
        );
        assert_eq!(
            error(&format!("witness a {log}\nquorum none\n")),
            (1, PolicyError::NotACosigner)
        );
        let pq = VerifierKey::new("log.example/pq".parse().unwrap(), Algorithm::SubtreeV1, &[7; 1312]).unwrap();
        for line in [format!("log {pq}"), format!("witness a {pq}")] {
            assert!(
                Policy::parse(format!("{line}\nquorum none\n").as_bytes()).is_ok(),
                "{line}"
            );
        }
    }

    #[test]
    fn po_1_names() {
        let (a, b) = (witness_key(1), witness_key(2));
        let taken = |name: &str| PolicyError::Name(Octets::of_field(name.as_bytes()));
        assert_eq!(error(&format!("witness none {a}\nquorum none\n")), (1, taken("none")));
        assert_eq!(error(&format!("witness w {a}\nwitness w {b}\n")), (2, taken("w")));
        assert_eq!(error(&format!("witness w {a}\ngroup w any w\n")), (2, taken("w")));
    }

    #[test]
    fn po_2_members() {
        let (a, b) = (witness_key(1), witness_key(2));
        let base = format!("witness a {a}\nwitness b {b}\n");
        let unknown = |name: &str| PolicyError::UnknownMember(Octets::of_field(name.as_bytes()));
        let second = |name: &str| PolicyError::SecondMembership(Octets::of_field(name.as_bytes()));
        assert_eq!(error(&format!("{base}group g any a a\n")), (3, second("a")));
        assert_eq!(
            error(&format!("{base}group g any a\ngroup h any a b\n")),
            (4, second("a"))
        );
        assert_eq!(error(&format!("{base}group g any g\n")), (3, unknown("g")));
        assert_eq!(error(&format!("{base}group g any none\n")), (3, unknown("none")));
        assert_eq!(error(&format!("{base}quorum g\ngroup g any a\n")), (3, unknown("g")));
    }

    #[test]
    fn po_3_keys_are_listed_once() {
        let log = log_key(1);
        let renamed = SignerKey::for_notes("other".parse().unwrap(), &[1; 32])
            .verifier_key()
            .unwrap();
        assert_eq!(
            error(&format!("log {log}\nlog {renamed}\n")),
            (2, PolicyError::DuplicateKey)
        );
        let a = witness_key(1);
        assert_eq!(
            error(&format!("witness a {a}\nwitness b {a}\n")),
            (2, PolicyError::DuplicateKey)
        );
        assert_eq!(error(&format!("witness a {log}\n")), (1, PolicyError::NotACosigner));
    }

    #[test]
    fn po_5_many_of_a_kind() {
        let mut text = String::new();
        for n in 0..=255 {
            text += &format!(
                "log {}\nwitness w{n} {}\ngroup g{n} any w{n}\n",
                log_key(n),
                witness_key(n)
            );
        }
        text += "group all all";
        for n in 0..=255 {
            text += &format!(" g{n}");
        }
        text += "\nquorum all\n";
        let policy = Policy::parse(text.as_bytes()).unwrap();
        assert!(
            policy.quorum_satisfied(|_| true) && !policy.quorum_satisfied(|witness| witness.name.as_bytes() != b"w7")
        );
    }

    #[test]
    fn malformed_lines_are_refused() {
        let a = witness_key(1);
        let cases = [
            ("", 1, PolicyError::Quorum),
            ("quorum none", 1, PolicyError::Text),
            ("quorum none\r\n", 1, PolicyError::Text),
            ("quorum none\nquorum none\n", 2, PolicyError::Quorum),
            ("Quorum none\n", 1, PolicyError::Structure),
            ("quorum none # all\n", 1, PolicyError::Structure),
            ("quorum\n", 1, PolicyError::Structure),
            ("log\n", 1, PolicyError::Structure),
            ("log x\n", 1, PolicyError::Key(KeyError::Structure)),
            ("group g any\n", 1, PolicyError::Structure),
        ];
        for (text, line, expected) in cases {
            assert_eq!(error(text), (line, expected), "{text:?}");
        }
        for threshold in ["0", "2", "01", "some", "-1"] {
            let text = format!("witness a {a}\ngroup g {threshold} a\nquorum g\n");
            assert_eq!(error(&text), (2, PolicyError::Threshold), "{threshold}");
        }
    }
}
