//! § 6 (1) IDNrG: the first fill of a register. Each person has an entry before the register gets the number.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use record::{Kind, ReleaseRecord, SharedPart, TestNumbers, Timestamp};
use registerlandkarte::BaseDatum;
use service::Shutdown;

use super::disclosure::disclose_to;
use super::world::{EMMA, FILL_PURPOSE, OTTO, PERSONS, RELEASED, World, idnr_of, logs, population};
use crate::base_data::{BaseData, RecordedRelease};
use crate::fill::order::{Order, OrderFolder, OrderName, Outcome};
use crate::fill::work::Orders;
use crate::fill::{BATCH, Quality};

const DAY: u64 = 86_400;
const BLOCKED: &str = r#""postal_code":"70825","place":"Korntal-Münchingen""#;
const TWINS: &str = r#""postal_code":"10115","place":"Berlin""#;

/// A world, and the orders of its identity.
struct Register {
    world: World,
    dir: tempfile::TempDir,
    orders: Orders,
}

fn row(reference: &str, names: &str, born: &str, address: &str, more: &str) -> String {
    format!(r#"{{"reference":"{reference}",{names},"date_of_birth":"{born}",{address}{more}}}"#)
}

fn emma(reference: &str, more: &str) -> String {
    let (names, address) = (
        r#""family_name":"Mustermann","given_name":"emma""#,
        r#""postal_code":"50667","place":"KÖLN""#,
    );
    row(reference, names, "1964-08-12", address, more)
}

fn ayse(reference: &str) -> String {
    let (names, address) = (
        r#""family_name":"Öztürk","given_name":"Ayşe Nur""#,
        r#""postal_code":"20095","place":"Hamburg""#,
    );
    row(reference, names, "1990-05-05", address, "")
}

fn unknown(reference: &str) -> String {
    let names = r#""family_name":"Niemand","given_name":"Nora""#;
    row(reference, names, "1980-01-01", TWINS, "")
}

fn order(base_data: &[BaseDatum]) -> Order {
    Order {
        receiver: "register".parse().unwrap(),
        purpose: FILL_PURPOSE.parse().unwrap(),
        base_data: base_data.iter().copied().collect(),
    }
}

impl Register {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let orders = Orders {
            population: Arc::new(population(dir.path(), PERSONS)),
            data: dir.path().to_path_buf(),
            test_numbers: TestNumbers::Allowed,
        };
        let world = World::new().await;
        Self { world, dir, orders }
    }

    fn folder(&self, name: &str) -> OrderFolder {
        OrderFolder::of(self.dir.path(), &name.parse::<OrderName>().unwrap())
    }

    fn path(&self, name: &str, file: &str) -> PathBuf {
        self.dir.path().join("fills").join(name).join(file)
    }

    fn place(&self, name: &str, order: &Order, rows: &[String]) -> OrderFolder {
        let (file, folder) = (self.dir.path().join("given.json"), self.folder(name));
        std::fs::write(&file, format!("[{}]", rows.join(","))).unwrap();
        folder.place(order, &file).unwrap();
        folder
    }

    async fn work(&self) {
        self.orders.work(&self.world.identity, &Shutdown::new()).await;
    }

    /// Places an order and has it worked on.
    async fn fill(&self, name: &str, order: &Order, rows: &[String]) -> Option<Outcome> {
        let folder = self.place(name, order, rows);
        self.work().await;
        folder.outcome().unwrap()
    }

    fn lines(&self, name: &str) -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(self.path(name, "result.jsonl")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn count(&self, kind: Kind) -> usize {
        self.world.log.kinds().into_iter().filter(|one| *one == kind).count()
    }

    /// The releases in the person's own list, as the cockpit opens it.
    async fn releases_of(&self, subject: &str) -> Vec<ReleaseRecord> {
        let disclosure = disclose_to(&self.world, subject).await;
        let entries = disclosure.entries.iter().filter(|entry| entry.kind == Kind::Inspection);
        let opened = entries.map(|entry| {
            let (_, label) = self.world.log.entry(entry.index).entry().body.map_key().unwrap();
            let record = self.world.log.record(entry.index);
            record.open_shared(&entry.keys[0].shared, Some(&label)).unwrap()
        });
        let release = |shared| match shared {
            SharedPart::Release(record) => Some(*record),
            _ => None,
        };
        opened.filter_map(release).collect()
    }
}

fn titles(record: &ReleaseRecord) -> Vec<&str> {
    record.data.iter().map(|datum| datum.title.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_row_has_its_result_and_the_report_names_no_person() {
    let register = Register::new().await;
    let rows = [
        emma("a", ""),
        row(
            "b",
            r#""family_name":"Schweigsam","given_name":"Otto""#,
            "1970-01-31",
            BLOCKED,
            "",
        ),
        unknown("c"),
        row(
            "d",
            r#""family_name":"Müller","given_name":"Kim""#,
            "2000-02-29",
            TWINS,
            "",
        ),
        emma("e", ""),
        emma("f", &format!(r#","idnr":"{OTTO}""#)),
        emma("g", &format!(r#","idnr":"{EMMA}x""#)),
        row(
            "h",
            r#""family_name":"Geheim","given_name":"G""#,
            "1980-13-01",
            TWINS,
            "",
        ),
    ];
    let Some(Outcome::Done(quality)) = register.fill("kba-1", &order(&[BaseDatum::FamilyName]), &rows).await else {
        panic!("not done");
    };
    let lines = register.lines("kba-1");
    let result = |line: &serde_json::Value| {
        let text = |name: &str| line[name].as_str().unwrap().to_owned();
        format!("{}: {}", text("reference"), text("result"))
    };
    let results: Vec<String> = lines.iter().map(result).collect();
    let expected = [
        "a: found",
        "b: unknown",
        "c: unknown",
        "d: ambiguous",
        "e: doubled",
        "f: contradictory",
    ];
    assert_eq!(results, expected);
    let expected =
        serde_json::json!({ "reference": "a", "result": "found", "idnr": EMMA, "family_name": "Mustermann" });
    assert_eq!(lines[0], expected, "the order names the family name only");
    assert!(lines[1..].iter().all(|line| line.get("idnr").is_none()));
    // A blocked person and one who does not exist differ in nothing, and neither has an entry.
    let without_reference = |at: usize| {
        let mut line = lines[at].clone();
        line.as_object_mut().unwrap().remove("reference");
        line
    };
    assert_eq!(without_reference(1), without_reference(2));
    assert_eq!(register.count(Kind::Inspection), 1);
    let report = std::fs::read_to_string(register.path("kba-1", "report.json")).unwrap();
    assert_eq!((quality.found, quality.unknown, quality.ambiguous), (1, 2, 1));
    assert_eq!((quality.contradictory, quality.doubled, quality.faulty), (1, 1, 2));
    let faulty = quality.faulty_rows.iter().map(|row| (row.row, row.field.as_str()));
    assert_eq!(faulty.collect::<Vec<_>>(), [(7, "idnr"), (8, "date_of_birth")]);
    for personal in [EMMA, OTTO, "Muster", "Geheim", "1964"] {
        assert!(!report.contains(personal), "{report}");
    }
    // The log lines are those of all tests, in which a year could be a part of any number.
    for personal in [EMMA, OTTO, "Mustermann", "Geheim"] {
        assert!(!logs().contains(personal), "{personal} was logged");
    }
    assert!(!register.path("kba-1", "result.jsonl.progress").exists());
    use std::os::unix::fs::PermissionsExt as _;
    for file in ["result.jsonl", "rows.json"] {
        let metadata = std::fs::metadata(register.path("kba-1", file)).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{file}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_person_sees_who_got_which_data_when_and_on_which_law() {
    let register = Register::new().await;
    register
        .fill("kba-1", &order(&RELEASED), &[emma("a", ""), ayse("b")])
        .await;
    let [release] = <[ReleaseRecord; 1]>::try_from(register.releases_of("sub-emma").await).unwrap();
    assert_eq!(release.receiver.id.as_str(), "register");
    assert_eq!(titles(&release), ["idnr", "family_name", "place"]);
    assert_eq!(release.why.occasion, "Aufnahme in ein Register");
    let laws = release
        .data
        .iter()
        .map(|datum| (datum.legal_basis.as_str(), datum.permission.as_str()));
    assert_eq!(
        laws.collect::<Vec<_>>(),
        RELEASED
            .map(|datum| ("§ 45 Absatz 1b StVO", format!("{}@1", datum.evidence())))
            .each_ref()
            .map(|(law, rule)| (*law, rule.as_str()))
    );
    let history = register.world.identity.live.history();
    assert_eq!(release.registerlandkarte, history.state().registerlandkarte().header());
    let expiry = release
        .lifecycle
        .retention
        .expiry(Timestamp(service::Clock::now(&*register.world.clock)));
    assert_eq!(release.lifecycle.expiry, expiry);
    assert_eq!(register.releases_of("sub-ayse").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_register_gets_nothing_that_it_has_no_permission_for() {
    let register = Register::new().await;
    let rows = [emma("a", "")];
    let refused = [
        (
            "more",
            order(&[BaseDatum::Place, BaseDatum::DateOfBirth]),
            "date_of_birth",
        ),
        (
            "stranger",
            Order {
                receiver: "nowhere".parse().unwrap(),
                ..order(&[])
            },
            "no active component",
        ),
        (
            "purpose",
            Order {
                purpose: "neugier".parse().unwrap(),
                ..order(&[])
            },
            "idnr",
        ),
    ];
    for (name, order, expected) in refused {
        let Some(Outcome::Refused(reason)) = register.fill(name, &order, &rows).await else {
            panic!("{name} is not refused");
        };
        assert!(
            reason.starts_with("not permitted: ") && reason.contains(expected),
            "{reason}"
        );
        assert!(!register.path(name, "result.jsonl").exists(), "{name}");
    }
    // A form that is no order is refused too, and an order of a name stays what it was.
    let folder = register.place("form", &order(&[]), &rows);
    std::fs::write(
        register.path("form", "order.json"),
        r#"{"receiver":"register","everything":true}"#,
    )
    .unwrap();
    register.work().await;
    assert!(matches!(folder.outcome().unwrap(), Some(Outcome::Refused(_))));
    let other = register
        .folder("more")
        .place(&order(&[]), &register.path("more", "rows.json"));
    assert!(other.is_err());
    assert_eq!(register.count(Kind::Inspection), 0);
    assert_eq!(register.count(Kind::Void), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_ledger_no_number_leaves_and_the_order_continues_later() {
    let mut register = Register::new().await;
    register.world.log.set_down(true);
    assert_eq!(
        register.fill("kba-1", &order(&[]), &[emma("a", ""), ayse("b")]).await,
        None
    );
    assert_eq!(register.lines("kba-1"), [] as [serde_json::Value; 0]);
    // The labels are reserved. Identity ends and starts again, and the entries come under the same labels.
    register.world.restart().await;
    register.work().await;
    assert_eq!(register.lines("kba-1"), [] as [serde_json::Value; 0]);
    register.world.log.set_down(false);
    register.world.tick().await.unwrap();
    register.work().await;
    let lines = register.lines("kba-1");
    assert_eq!(lines[0]["idnr"], EMMA);
    assert!(matches!(
        register.folder("kba-1").outcome().unwrap(),
        Some(Outcome::Done(_))
    ));
    assert_eq!((register.count(Kind::Inspection), register.count(Kind::Void)), (2, 0));
    // An order that has ended is not worked on again.
    register.work().await;
    assert_eq!(register.lines("kba-1"), lines);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_serves_for_one_day_one_register_and_the_data_that_it_names() {
    let register = Register::new().await;
    let rows = [emma("a", "")];
    for (name, order, entries) in [
        ("first", order(&[]), 1),
        ("again", order(&[]), 1),
        ("more", order(&[BaseDatum::Place]), 2),
        ("less", order(&[]), 2),
    ] {
        register.fill(name, &order, &rows).await;
        assert_eq!(register.lines(name)[0]["idnr"], EMMA);
        assert_eq!(register.lines(name)[0].get("place").is_some(), name == "more");
        assert_eq!(register.count(Kind::Inspection), entries, "{name}");
    }
    let other = Order {
        receiver: "city".parse().unwrap(),
        ..order(&[])
    };
    register.fill("other-register", &other, &rows).await;
    assert_eq!(register.count(Kind::Inspection), 3);
    register.world.clock.advance(DAY);
    register.fill("other-day", &order(&[]), &rows).await;
    assert_eq!(register.count(Kind::Inspection), 4);
    let seen: BTreeSet<Vec<String>> = register
        .releases_of("sub-emma")
        .await
        .iter()
        .map(|release| titles(release).into_iter().map(str::to_owned).collect())
        .collect();
    assert_eq!(seen.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_entry_of_one_person_releases_nobody_else() {
    let register = Register::new().await;
    register.fill("kba-1", &order(&[]), &[emma("a", "")]).await;
    let identity = &register.world.identity;
    let history = identity.live.history();
    let permit = history.permit_base_data(
        history.newest_versions(),
        &"register".parse().unwrap(),
        &BTreeSet::new(),
        FILL_PURPOSE,
        Timestamp(service::Clock::now(&*register.world.clock)),
    );
    let permit = Arc::new(permit.unwrap());
    let person = |idnr: &str| BaseData {
        idnr: idnr_of(idnr),
        family_name: "F".into(),
        given_name: "G".into(),
        date_of_birth: "1964-08-12".into(),
        postal_code: "50667".into(),
        place: "P".into(),
    };
    let period = identity.periods.all().pop().unwrap().period();
    let label = |number| register.world.label_of(EMMA, record::Series::Inspections, number);
    let recorded =
        |number| RecordedRelease::find(&identity.log, (period, &label(number)), &idnr_of(EMMA), &permit).unwrap();
    let recorded_emma = recorded(0).expect("the entry is in the log");
    assert!(person(EMMA).release(&recorded_emma).is_some());
    assert!(person(OTTO).release(&recorded_emma).is_none());
    assert!(recorded(1).is_none(), "no entry, no token");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_fill_continues_where_it_stopped_and_refuses_other_input() {
    let mut register = Register::new().await;
    let mut rows = vec![emma("first", "")];
    rows.extend((1..3 * BATCH).map(|_| unknown("x")));
    rows.push(emma("last", ""));
    let folder = register.place("kba-1", &order(&[]), &rows);
    let stopping = Shutdown::new();
    stopping.trigger();
    register.orders.work(&register.world.identity, &stopping).await;
    assert_eq!(register.lines("kba-1").len() as u64, BATCH);
    // What was written after the progress was stored is cut off.
    let result = register.path("kba-1", "result.jsonl");
    let mut torn = std::fs::read(&result).unwrap();
    torn.extend_from_slice(b"{\"reference\":\"to");
    std::fs::write(&result, torn).unwrap();
    register.world.restart().await;
    register.orders.work(&register.world.identity, &stopping).await;
    assert_eq!(register.lines("kba-1").len() as u64, 2 * BATCH);
    assert_eq!(folder.outcome().unwrap(), None);

    let (file, refused) = (
        register.path("kba-1", "order.json"),
        register.path("kba-1", "refused.json"),
    );
    let placed = std::fs::read(&file).unwrap();
    let changed = serde_json::to_vec(&order(&[BaseDatum::Place])).unwrap();
    std::fs::write(&file, changed).unwrap();
    register.work().await;
    let Some(Outcome::Refused(reason)) = folder.outcome().unwrap() else {
        panic!("other input is not refused");
    };
    assert!(reason.contains("another order"), "{reason}");

    std::fs::write(&file, placed).unwrap();
    std::fs::remove_file(refused).unwrap();
    register.work().await;
    let expected = Quality {
        found: 1,
        unknown: 3 * BATCH - 1,
        doubled: 1,
        ..Quality::default()
    };
    let done = folder.outcome().unwrap();
    let why = "the last row is the person of the first, which another run has found";
    assert_eq!(done, Some(Outcome::Done(expected)), "{why}");
    let lines = register.lines("kba-1");
    assert_eq!(lines.len() as u64, 3 * BATCH + 1);
    assert_eq!(lines[0]["result"], "found");
    assert_eq!(lines[lines.len() - 1]["result"], "doubled");
    assert_eq!(register.count(Kind::Inspection), 1);
}
