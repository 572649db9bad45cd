//! Signed notes: the specification's vector, malformed notes, and the signatures that opening accepts.

use tlog::note::{
    KeyError, KeyName, LineError, MAX_BYTES, MAX_SIGNATURES, Note, NoteError, SignerKey, Verifier, VerifierKey, sign,
};

const VKEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const TEXT: &str = "This is an example message.\n";
const LINE: &str =
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
/// From golang.org/x/mod/sumdb/note.
const PETER: &str = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const PETER_VKEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const PETER_NOTE: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n\n\
    — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

fn key(text: &str) -> VerifierKey {
    text.parse().unwrap()
}

fn note(text: &str, lines: &[&str]) -> Vec<u8> {
    format!("{text}\n{}", lines.concat()).into_bytes()
}

#[test]
fn the_specifications_vector_opens() {
    let bytes = note(TEXT, &[LINE]);
    let opened = Note::open(&bytes, &[&key(VKEY)]).unwrap();
    assert_eq!(opened.text(), TEXT);
    let signature = &opened.verified()[0];
    assert_eq!((&signature.name, signature.id), (key(VKEY).name(), key(VKEY).id()));
    assert_eq!(signature.timestamp, None);
    assert!(opened.unknown().is_empty());
    assert_eq!(Note::parse(&bytes).unwrap().to_string().into_bytes(), bytes);
    assert_eq!(key(VKEY).to_string(), VKEY);
}

#[test]
fn the_vector_of_gos_implementation_opens() {
    let signer: SignerKey = PETER.parse().unwrap();
    assert_eq!(*signer.to_private_text(), PETER);
    assert_eq!(signer.verifier_key().unwrap(), key(PETER_VKEY));
    let text = PETER_NOTE.split_once("\n\n").unwrap().0.to_owned() + "\n";
    assert_eq!(sign(&text, &[&signer]).unwrap().to_string(), PETER_NOTE);
    assert!(Note::open(PETER_NOTE.as_bytes(), &[&key(PETER_VKEY)]).is_ok());
}

#[test]
fn a_key_of_two_types_has_two_ids() {
    let public = key(VKEY).public_key();
    let name = key(VKEY).name().clone();
    let cosigner = VerifierKey::new(name, tlog::note::Algorithm::CosignatureV1, &public).unwrap();
    assert_eq!(cosigner.id().to_string(), "7c264079");
}

#[test]
fn sn_1_text_without_control_characters() {
    let all_allowed = note("\u{7f}\u{80}\u{a0}é—\u{2028} +\n\n\n", &[LINE]);
    assert_eq!(
        Note::parse(&all_allowed).unwrap().text,
        "\u{7f}\u{80}\u{a0}é—\u{2028} +\n\n\n"
    );
    for byte in (0..0x20).filter(|byte| *byte != b'\n') {
        let mut bytes = note(TEXT, &[LINE]);
        bytes[3] = byte;
        assert_eq!(Note::parse(&bytes), Err(NoteError::Text), "{byte:#x}");
    }
    for bad in [&b"\xff"[..], b"\xed\xa0\x80", b"\xc0\xaf"] {
        let bytes = [bad, &note(TEXT, &[LINE])].concat();
        assert_eq!(Note::parse(&bytes), Err(NoteError::Text));
    }
}

#[test]
fn sn_2_the_last_blank_line_separates() {
    let inner = format!("a\n\n{LINE}b\n");
    let parsed = Note::parse(&note(&inner, &[LINE])).unwrap();
    assert_eq!(parsed.text, inner);
    assert_eq!(parsed.signatures.len(), 1);
}

#[test]
fn sn_3_malformed_notes() {
    let good = String::from_utf8(note(TEXT, &[LINE])).unwrap();
    let with_line = |line: &str| format!("{TEXT}\n{line}");
    let cases = [
        (String::new(), NoteError::Structure),
        (TEXT.to_owned(), NoteError::Structure),
        (format!("{TEXT}\n"), NoteError::Structure),
        (format!("{TEXT}{LINE}"), NoteError::Structure),
        (good.trim_end().to_owned(), NoteError::Structure),
        (format!("{good}\n"), NoteError::Structure),
        (format!("{good}x"), NoteError::Structure),
        (format!("{good}x\n"), NoteError::Line(2)),
        (good.replace('—', "-"), NoteError::Line(1)),
        (good.replace('—', "–"), NoteError::Line(1)),
        (good.replace('\n', "\r\n"), NoteError::Text),
        (with_line(&LINE.replace("— ", "—")), NoteError::Line(1)),
        (with_line(&LINE.replace("foo ", "foo  ")), NoteError::Line(1)),
        (with_line(&LINE.replace("foo ", "foo")), NoteError::Line(1)),
        (with_line(&LINE.replace("=\n", "= \n")), NoteError::Line(1)),
        (with_line(&LINE.replace("=\n", "= x\n")), NoteError::Line(1)),
        // Base64 without padding, with another alphabet, with stray bits.
        (with_line(&LINE.replace('=', "")), NoteError::Line(1)),
        (with_line(&LINE.replace("Uw2QOkn8", "Uw2Q_kn8")), NoteError::Line(1)),
        (with_line(&LINE.replace("aQM=", "aQN=")), NoteError::Line(1)),
        // No bytes after the key id.
        (with_line("— a AAAAAA==\n"), NoteError::Line(1)),
        (with_line("— a AAAA\n"), NoteError::Line(1)),
        (with_line("— a \n"), NoteError::Line(1)),
    ];
    for (text, error) in cases {
        assert_eq!(Note::parse(text.as_bytes()), Err(error), "{text:?}");
    }
    assert!(Note::parse(with_line("— a AAAAAAA=\n").as_bytes()).is_ok());
}

#[test]
fn sn_4_names() {
    let longest = "n".repeat(255);
    for good in ["a", "example.com/foo", "é", "oid/1.3.6", &longest] {
        assert_eq!(good.parse::<KeyName>().unwrap().as_str(), good);
    }
    let too_long = "n".repeat(256);
    for bad in [
        "",
        "a b",
        "a+b",
        "+",
        "a\u{a0}b",
        "a\u{2003}",
        "a\u{3000}",
        "a\tb",
        "a\n",
        "\u{85}",
        "a\0",
        &too_long,
    ] {
        assert!(bad.parse::<KeyName>().is_err(), "{bad:?}");
        let line = LINE.replace("example.com/foo", bad);
        assert!(Note::parse(&note(TEXT, &[&line])).is_err(), "{bad:?}");
    }
}

#[test]
fn sn_5_sn_7_unknown_keys() {
    let bytes = note(TEXT, &[LINE]);
    let peter = key(PETER_VKEY);
    assert_eq!(Note::open(&bytes, &[&peter]), Err(NoteError::NoKnownSignature));
    assert_eq!(Note::open(&bytes, &[]), Err(NoteError::NoKnownSignature));
    // When only the name or only the id matches, the line names another key, so its wrong signature does not matter.
    let other_name = LINE.replace("foo", "bar");
    let other_id = LINE.replace("Uw2Q", "Uw2R");
    for line in [other_name, other_id] {
        assert_eq!(
            Note::open(&note(TEXT, &[&line]), &[&key(VKEY)]),
            Err(NoteError::NoKnownSignature)
        );
        let opened = Note::open(&note(TEXT, &[&line, LINE]), &[&key(VKEY)]).unwrap();
        assert_eq!(opened.unknown().len(), 1);
    }
}

#[test]
fn sn_6_a_known_key_must_verify() {
    let bad_line = LINE.replace("IneyaQM", "IneyaQI");
    let peter: SignerKey = PETER.parse().unwrap();
    let peters = format!("{}\n", sign(TEXT, &[&peter]).unwrap().signatures[0]);
    let keys: [&dyn Verifier; 2] = [&key(VKEY), &key(PETER_VKEY)];
    for lines in [
        [bad_line.as_str(), &peters],
        [&peters, &bad_line],
        [&bad_line, LINE],
        [LINE, &bad_line],
    ] {
        let error = NoteError::BadSignature {
            name: key(VKEY).name().clone(),
            reason: LineError::Signature,
        };
        assert_eq!(Note::open(&note(TEXT, &lines), &keys), Err(error));
    }
    assert_eq!(
        Note::open(&note(TEXT, &[&peters, LINE]), &keys)
            .unwrap()
            .verified()
            .len(),
        2
    );
    let short = "— example.com/foo Uw2QOgA=\n";
    assert!(matches!(
        Note::open(&note(TEXT, &[short]), &keys),
        Err(NoteError::BadSignature {
            reason: LineError::Length,
            ..
        })
    ));
}

#[test]
fn sn_8_limits() {
    let unknown: Vec<String> = (0..MAX_SIGNATURES).map(|n| format!("— n{n} AAAAAAA=\n")).collect();
    let mut lines: Vec<&str> = unknown.iter().map(String::as_str).collect();
    assert_eq!(Note::parse(&note(TEXT, &lines)).unwrap().signatures.len(), 100);
    lines.push(LINE);
    assert_eq!(Note::parse(&note(TEXT, &lines)), Err(NoteError::TooManySignatures));
    let fill = MAX_BYTES - 2 - LINE.len();
    let longest = note(&format!("{}\n", "x".repeat(fill)), &[LINE]);
    assert_eq!(longest.len(), MAX_BYTES);
    assert!(Note::parse(&longest).is_ok());
    assert_eq!(Note::parse(&[b"x", &longest[..]].concat()), Err(NoteError::TooLong));
}

#[test]
fn sn_9_a_repeated_line_counts_once() {
    let opened = Note::open(&note(TEXT, &[LINE, LINE]), &[&key(VKEY)]).unwrap();
    assert_eq!(opened.verified().len(), 1);
}

#[test]
fn malformed_keys_are_refused() {
    let plus = "a+b+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    let cases = [
        ("", KeyError::Structure),
        ("a+530d903a", KeyError::Structure),
        (&VKEY.replace("530d", "530e"), KeyError::Id),
        (&VKEY.replace("foo", "bar"), KeyError::Id),
        (
            &VKEY.replace("V54I", "V5_I"),
            KeyError::Encoding(tlog::encoding::EncodingError::Base64),
        ),
        ("a+00000000+AgAA", KeyError::UnsupportedType(2)),
        ("a+00000000+BQAA", KeyError::UnsupportedType(5)),
        ("a+00000000+AQAA", KeyError::Key),
        ("a+00000000+BgAA", KeyError::Key),
        ("a+00000000+", KeyError::Structure),
        ("+00000000+AQAA", KeyError::Name(tlog::note::NameError)),
    ];
    for (text, error) in cases {
        assert_eq!(text.parse::<VerifierKey>(), Err(error), "{text}");
    }
    for text in [
        plus,
        &VKEY.replace("903a", "903A"),
        &VKEY.replace("530d903a", "530d90"),
        &format!("{VKEY}\n"),
    ] {
        assert!(text.parse::<VerifierKey>().is_err(), "{text}");
    }
    // A point of small order is on the curve, but verifies crafted signatures.
    let weak: [u8; 32] = std::array::from_fn(|at| u8::from(at == 0));
    let algorithm = tlog::note::Algorithm::Ed25519;
    assert_eq!(
        VerifierKey::new("a".parse().unwrap(), algorithm, &weak),
        Err(KeyError::Key)
    );
}

#[test]
fn malformed_private_keys_are_refused() {
    for bad in [
        PETER_VKEY.to_owned(),
        PETER.replace("c74f20a3", "c74f20a4"),
        PETER.replace("AYEK", "AoEK"),
        PETER.replace("KDFz", "KA=="),
        PETER.replace("PRIVATE+KEY+", "PRIVATE KEY+"),
    ] {
        assert!(bad.parse::<SignerKey>().is_err(), "{bad}");
    }
    let signer: SignerKey = PETER.parse().unwrap();
    assert_eq!(format!("{signer:?}"), "SignerKey(PeterNeumann+c74f20a3, …)");
    let cosigner = SignerKey::for_cosignatures("w".parse().unwrap(), &[9; 32]);
    let again: SignerKey = cosigner.to_private_text().parse().unwrap();
    assert_eq!(again.verifier_key(), cosigner.verifier_key());
}
