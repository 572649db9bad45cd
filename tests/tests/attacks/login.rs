//! An attempt to open the records of a person who is not logged in. Identity refuses it, no matter which service asks:
//! it checks the ID token itself, and opens records only for the person whom the token names. The ledger serves sealed
//! records to the portal alone, and the portal shows a session only its own entries. A refused attempt leaves no
//! `inspection` in the log, because nothing was opened.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ed25519_dalek::{Signer as _, SigningKey};
use messages::{Disclosure, DisclosureRequest};
use record::Kind;
use tests::citizen::Citizen;
use tests::intermediary::Intermediary;
use tests::processes::Processes;
use tests::public_log::PublicLog;
use tests::{http, secured, wait_for};

/// Makes an ID token with changed claims, signed with what the attacker has.
type Forgery = fn(&Token) -> String;

const FORGERIES: &[(&str, Forgery)] = &[
    ("another person, under the signature of the first", |token| {
        format!("{}.{}.{}", token.header, token.claims_of("deniz"), token.signature)
    }),
    ("another person, unsigned", |token| {
        let header = BASE64.encode(r#"{"alg":"none"}"#);
        format!("{header}.{}.", token.claims_of("deniz"))
    }),
    ("another person, signed by a key of the attacker's own", |token| {
        let signed = format!("{}.{}", token.header, token.claims_of("deniz"));
        let signature = SigningKey::from_bytes(&[7; 32]).sign(signed.as_bytes());
        format!("{signed}.{}", BASE64.encode(signature.to_bytes()))
    }),
    (
        "another person, signed with the issuer's public key as a shared secret",
        |token| {
            let header = BASE64.encode(r#"{"alg":"HS256"}"#);
            format!("{header}.{}.{}", token.claims_of("deniz"), token.signature)
        },
    ),
    ("no token at all", |_| String::new()),
];

/// The three parts of a compact JWS.
struct Token {
    header: String,
    claims: String,
    signature: String,
}

impl Token {
    fn parse(text: &str) -> Result<Self> {
        let [header, claims, signature] = text.split('.').collect::<Vec<_>>()[..] else {
            anyhow::bail!("not a compact JWS");
        };
        Ok(Self {
            header: header.to_owned(),
            claims: claims.to_owned(),
            signature: signature.to_owned(),
        })
    }

    fn claims_of(&self, subject: &str) -> String {
        let claims = BASE64.decode(&self.claims).unwrap();
        let mut claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
        claims["sub"] = subject.into();
        BASE64.encode(claims.to_string())
    }
}

#[test]
fn records_are_opened_only_for_the_person_who_has_logged_in() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut processes = Processes::seed(&scratch.path().join("demo"), "127.0.0.1:22100")?;
    let between = Intermediary::between(&processes.data, "portal", ("identity", &processes.info.identity))?;
    processes.configure("portal", |config| config["identity"] = between.url.clone().into())?;
    processes.start_all()?;
    processes.all_healthy()?;
    processes.start_portal()?;

    let (emma, deniz) = (logged_in(&processes, "emma")?, logged_in(&processes, "deniz")?);
    let told = between.last("/disclosures").context("identity was asked")?;
    let of_deniz: Disclosure = record::cbor::from_slice(&told.answer)?;
    let asked = between
        .passed()
        .into_iter()
        .find(|passed| passed.path == "/disclosures");
    let asked: DisclosureRequest = record::cbor::from_slice(&asked.context("identity was asked")?.request)?;
    let inspections = || PublicLog::of_ledger(&processes.info.ledger)?.count(Kind::Inspection);
    let before = inspections()?;

    identity_opens_nothing(&processes, &asked)?;
    portal_shows_nothing_of_others(&emma, &of_deniz)?;
    ledger_gives_no_record(&processes, &of_deniz)?;
    ensure!(inspections()? == before, "something was opened");

    // The unchanged request is answered, so the refusals were caused by the changes.
    let (status, body) = disclose(&processes, &asked, "portal")?;
    ensure!(status == 200, "{status}");
    let of_emma: Disclosure = record::cbor::from_slice(&body)?;
    ensure!(of_emma.idnr != of_deniz.idnr && deniz.get("/abrufe")?.0 == 200);
    Ok(())
}

fn logged_in(processes: &Processes, user: &str) -> Result<Citizen> {
    let mut citizen = None;
    wait_for(Duration::from_secs(40), || {
        citizen = Citizen::log_in(&processes.info, user).ok();
        Ok(citizen.is_some())
    })?;
    citizen.context("logged in")
}

/// Asks identity with the certificate of the process in the folder `caller`.
fn disclose(processes: &Processes, request: &DisclosureRequest, caller: &str) -> Result<(u16, Vec<u8>)> {
    let answer = processes
        .client(caller)?
        .post(format!("{}/disclosures", processes.info.identity))
        .header("content-type", "application/cbor")
        .body(record::cbor::to_vec(request))
        .send()?;
    Ok((answer.status().as_u16(), answer.bytes()?.to_vec()))
}

fn identity_opens_nothing(processes: &Processes, asked: &DisclosureRequest) -> Result<()> {
    let token = Token::parse(&asked.id_token)?;
    for (name, forge) in FORGERIES {
        let request = DisclosureRequest {
            id_token: forge(&token),
            ..asked.clone()
        };
        let (status, _) = disclose(processes, &request, "portal")?;
        ensure!(status == 403, "{name}: {status}");
    }
    let another_login = DisclosureRequest {
        nonce: "of another login".to_owned(),
        ..asked.clone()
    };
    ensure!(
        disclose(processes, &another_login, "portal")?.0 == 403,
        "a token of another login"
    );
    // A valid token from a client other than the portal.
    let (status, _) = disclose(processes, asked, "broker")?;
    ensure!(status == 403, "not the portal's certificate: {status}");
    let refused = disclose(processes, asked, "connector-rheinfurt");
    ensure!(refused.is_err(), "identity talks to the broker and the portal alone");
    Ok(())
}

fn portal_shows_nothing_of_others(emma: &Citizen, of_deniz: &Disclosure) -> Result<()> {
    ensure!(of_deniz.entries.len() > 1, "there is something to open");
    for entry in &of_deniz.entries {
        for page in ["", "/oeffnung", "/quittung"] {
            let (status, _) = emma.get(&format!("/abrufe/{}{page}", entry.index))?;
            ensure!(status == 404, "entry {}{page}: {status}", entry.index);
        }
    }
    Ok(())
}

fn ledger_gives_no_record(processes: &Processes, of_deniz: &Disclosure) -> Result<()> {
    let path = format!("/records/{}", of_deniz.entries[0].index);
    let public = http()?.get(format!("{}{path}", processes.info.ledger)).send()?;
    ensure!(public.status() == 404, "{}", public.status());
    let url = format!("https://{}{path}", secured::writing(&processes.data)?);
    let with = |caller| anyhow::Ok(processes.client(caller)?.get(&url).send()?.status().as_u16());
    ensure!(with("connector-rheinfurt").is_err());
    ensure!(with("broker")? == 403 && with("portal")? == 200);
    Ok(())
}
