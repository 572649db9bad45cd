//! Documents as a register writes them, and what must not be read.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::limits::MAX_EVIDENCE;

fn document(fields: &[(&str, &str)]) -> EvidenceDocument {
    EvidenceDocument {
        evidence_type: "zb1".into(),
        title: "Zulassungsbescheinigung <Teil> & \"I\"".parse().unwrap(),
        issued_at: "2027-01-15T08:00:00Z".parse().unwrap(),
        fields: fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.parse().unwrap()))
            .collect(),
    }
}

#[test]
fn a_document_is_read_as_it_was_written() {
    let written = document(&[("halter", "D\u{30d}a <b>&amp; ]]> 'x'"), ("z-1._", ""), ("a", "Жанна ")]);
    let xml = written.to_xml().unwrap();
    assert_eq!(EvidenceDocument::from_xml(&xml).unwrap(), written);
    let empty = document(&[]);
    assert_eq!(EvidenceDocument::from_xml(&empty.to_xml().unwrap()).unwrap(), empty);
    assert!(!format!("{written:?}").contains("halter"));
}

#[test]
fn names_that_no_element_has_or_that_repeat_are_not_written() {
    for name in ["", "1a", "a b", "a:b", "ä", "-a", "a<"] {
        assert!(!is_element_name(name), "{name}");
        assert!(document(&[(name, "x")]).to_xml().is_err(), "{name}");
    }
    assert!(document(&[("a", "x"), ("a", "x")]).to_xml().is_err());
    let value = "x".repeat(4096);
    let names: Vec<String> = (0..MAX_EVIDENCE / 4096).map(|number| format!("f{number}")).collect();
    let fields: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), value.as_str())).collect();
    assert_eq!(document(&fields).to_xml(), Err(XmlError::TooLarge));
}

#[test]
fn anything_else_is_refused() {
    let with = |content: &str| {
        format!("<zb1 xmlns=\"{NAMESPACE}\" title=\"t\" issued-at=\"2027-01-15T08:00:00Z\">{content}</zb1>")
    };
    assert!(EvidenceDocument::from_xml(with("<!-- c --><a>x</a>\n").as_bytes()).is_ok());
    for xml in [
        with("text<a>x</a>"),
        with("<a>x</a><a>x</a>"),
        with("<a><b>x</b></a>"),
        with("<a b=\"c\">x</a>"),
        with("<a xmlns=\"urn:x\">x</a>"),
        with("<a xmlns=\"\">x</a>"),
        with("<a>\u{202e}</a>"),
        with("<ä>x</ä>"),
        with("<?p i?>"),
        with("").replace("title", "titel"),
        with("").replace("title=\"t\"", "title=\"\""),
        with("").replace(NAMESPACE, "urn:einsicht:nachweis:2"),
        format!("<!DOCTYPE zb1 [<!ENTITY e \"x\">]>{}", with("<a>&e;</a>")),
        "{}".to_owned(),
    ] {
        assert!(EvidenceDocument::from_xml(xml.as_bytes()).is_err(), "{xml}");
    }
    let long = with(&"x".repeat(MAX_EVIDENCE));
    assert_eq!(
        EvidenceDocument::from_xml(long.as_bytes()),
        Err(XmlError::TooLarge.into())
    );
}

/// A file with these objects, as a writer of PDF separates them.
fn pdf(objects: &[(&str, &[u8])]) -> Vec<u8> {
    let mut file = b"%PDF-1.7\n%\xe2\xe3\n".to_vec();
    for (number, (dictionary, data)) in (1..).zip(objects) {
        file.extend_from_slice(format!("{number} 0 obj\n<<{dictionary}/Length {}>>\nstream\n", data.len()).as_bytes());
        file.extend_from_slice(data);
        file.extend_from_slice(b"\nendstream\nendobj\n");
    }
    file.extend_from_slice(b"%%EOF");
    file
}

const EMBEDDED: &str = "/Type/EmbeddedFile/Subtype/application#2Fxml";

#[test]
fn the_only_embedded_xml_document_is_taken_out() {
    let xml: &[u8] = b"<a>stream\nendstream\n/Type /EmbeddedFile</a>\n";
    let other: (&str, &[u8]) = ("/Type/EmbeddedFile/Subtype/image#2Fpng", b"stream\nx");
    for dictionary in [
        EMBEDDED.to_owned(),
        "/Subtype /text#2fxml\n/Type /EmbeddedFile /Params <</Size 3>> ".to_owned(),
    ] {
        assert_eq!(xml_in_pdf(&pdf(&[other, (&dictionary, xml)])).unwrap(), xml);
    }
    let deflated = miniz_oxide::deflate::compress_to_vec_zlib(xml, 6);
    for filter in ["/Filter/FlateDecode", "/Filter [ /FlateDecode ]"] {
        let dictionary = format!("{EMBEDDED}{filter}");
        assert_eq!(xml_in_pdf(&pdf(&[(&dictionary, &deflated)])).unwrap(), xml);
    }
    // The length is in another object.
    let file = String::from_utf8(
        b"%PDF-1.7\n1 0 obj<</Length 2 0 R/Type/EmbeddedFile/Subtype/text#2Fxml>>stream\r\n<a/>\r\nendstream".to_vec(),
    );
    assert_eq!(xml_in_pdf(file.unwrap().as_bytes()).unwrap(), b"<a/>");
}

#[test]
fn a_file_with_none_two_or_too_much_is_refused() {
    let bomb = miniz_oxide::deflate::compress_to_vec_zlib(&vec![b'a'; MAX_EVIDENCE + 1], 9);
    let flate = format!("{EMBEDDED}/Filter/FlateDecode");
    let parameters = format!("{flate}/DecodeParms<</Predictor 12>>");
    let lzw = format!("{EMBEDDED}/Filter/LZWDecode");
    for file in [
        Vec::new(),
        b"<a/>".to_vec(),
        pdf(&[]),
        pdf(&[("/Type/Metadata/Subtype/XML", b"<a/>")]),
        pdf(&[(EMBEDDED, b"<a/>"), (EMBEDDED, b"<a/>")]),
        pdf(&[(&flate, &bomb)]),
        pdf(&[(&flate, b"<a/>")]),
        pdf(&[(&parameters, &bomb)]),
        pdf(&[(&lzw, b"<a/>")]),
        pdf(&[(EMBEDDED, &vec![b'a'; MAX_EVIDENCE])]),
    ] {
        assert!(xml_in_pdf(&file).is_err(), "{}", String::from_utf8_lossy(&file));
    }
}

proptest! {
    #[test]
    fn no_file_makes_the_readers_panic(parts in prop::collection::vec(
        prop_oneof![
            Just("%PDF-1.7\n"), Just("1 0 obj"), Just("<<"), Just("/Type /EmbeddedFile"), Just("/Subtype/text#2Fxml"),
            Just("/Length 3"), Just(">>stream\n"), Just("abc"), Just("\nendstream"), Just("/"), Just("#2"), Just("\r\n"),
        ], 0..24)) {
        let file: String = parts.concat();
        let _ = xml_in_pdf(file.as_bytes());
        let _ = xml_in_pdf(format!("%PDF-1.7\n{file}").as_bytes());
        let _ = EvidenceDocument::from_xml(file.as_bytes());
    }
}
