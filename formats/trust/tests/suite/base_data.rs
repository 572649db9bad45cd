//! Which base data a component may have from identity: each datum by its own rule, all or nothing.

use std::collections::BTreeSet;

use record::{DisclosureClass, Sorted, Timestamp};
use registerlandkarte::{AreaRelation, BaseDatum, Denied, EvidenceType, Provider, RegisterType, Rule, Subjects};
use trust::{BaseDataError, BaseDataPermit, ComponentState, History, Operation, TrustKind, Value, Versions};

use crate::fixture::{DIRECTORY, REGISTERLANDKARTE, body, catalogue, component, end, history, put, rule};

const PURPOSE: &str = "registermodernisierung";

fn base_rule(datum: BaseDatum, change: impl FnOnce(&mut Rule)) -> Value {
    let Value::Permission(rule) = rule(datum.evidence(), 1, PURPOSE) else {
        panic!()
    };
    let mut rule = Rule::clone(&rule);
    rule.provider = Provider::Register("idnr-datenbank".parse().unwrap());
    rule.evidence = datum.evidence().parse().unwrap();
    change(&mut rule);
    Value::Permission(rule.into())
}

/// A Registerlandkarte with the types of base data and these rules.
fn landkarte(rules: &[Value]) -> (TrustKind, Vec<Operation>) {
    let register = Value::Register(Box::new(RegisterType {
        id: "idnr-datenbank".parse().unwrap(),
        name: "Identifikationsnummern-Datenbank".parse().unwrap(),
        vip: None,
        idnrg: None,
        subjects: Subjects::Natural,
        norm: "stvg".parse().unwrap(),
    }));
    let evidence = BaseDatum::ALL.map(|datum| {
        Value::Evidence(Box::new(EvidenceType {
            id: datum.evidence().parse().unwrap(),
            uri: None,
            register: "idnr-datenbank".parse().unwrap(),
            title: datum.as_str().parse().unwrap(),
            categories: vec![datum.as_str().parse().unwrap()],
        }))
    });
    let values = [register].into_iter().chain(evidence).chain(rules.iter().cloned());
    let values: Vec<Operation> = values.map(|value| put(&value)).collect();
    (REGISTERLANDKARTE, catalogue().into_iter().chain(values).collect())
}

fn permit(
    history: &History,
    versions: Versions,
    receiver: &str,
    wanted: &[BaseDatum],
    purpose: &str,
) -> Result<BaseDataPermit, BaseDataError> {
    let wanted: BTreeSet<BaseDatum> = wanted.iter().copied().collect();
    history.permit_base_data(versions, &receiver.parse().unwrap(), &wanted, purpose, Timestamp(300))
}

fn newest(history: &History, receiver: &str, wanted: &[BaseDatum]) -> Result<BaseDataPermit, BaseDataError> {
    permit(history, history.newest_versions(), receiver, wanted, PURPOSE)
}

const RECEIVER: &str = "stadt.parken";

/// Every set of permitted data against every set of wanted ones.
#[test]
fn a_permit_has_exactly_the_wanted_data_and_only_if_each_has_a_rule() {
    let sets = || 0..1_usize << BaseDatum::ALL.len();
    let members = |set: usize| -> Vec<BaseDatum> {
        let all = BaseDatum::ALL.into_iter().enumerate();
        all.filter(|(at, _)| set >> at & 1 == 1)
            .map(|(_, datum)| datum)
            .collect()
    };
    let mut permitted = 0;
    for rules in sets().map(members) {
        let values: Vec<Value> = rules.iter().map(|datum| base_rule(*datum, |_| ())).collect();
        let history = history(vec![landkarte(&values)]);
        for mut wanted in sets().map(members) {
            let permit = newest(&history, RECEIVER, &wanted);
            // A receiver of base data also gets the IDNr that they belong to.
            wanted.push(BaseDatum::Idnr);
            match permit {
                Ok(permit) => {
                    permitted += 1;
                    assert!(wanted.iter().all(|datum| rules.contains(datum)));
                    for datum in BaseDatum::ALL {
                        assert_eq!(permit.allows(datum), wanted.contains(&datum), "{datum}");
                    }
                    for (datum, permission) in permit.permissions() {
                        assert_eq!(permission.rule.reference(), format!("{}@1", datum.evidence()));
                        assert_eq!(permission.why.legal_basis, "§ 35 StVG");
                    }
                }
                Err(BaseDataError::Denied { datum, denied }) => {
                    assert_eq!(denied, Denied::NoRule);
                    assert!(wanted.contains(&datum) && !rules.contains(&datum), "{datum}");
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
    assert_eq!(
        permitted,
        2 * 3_usize.pow(5),
        "pairs of a set with the IDNr and a subset"
    );
}

#[test]
fn only_an_active_component_of_a_permitted_body_gets_a_permit() {
    let all = BaseDatum::ALL.map(|datum| base_rule(datum, |_| ()));
    let denied = |history: &History| newest(history, RECEIVER, &[]).map(|_| ()).unwrap_err();
    let no_rule = BaseDataError::Denied {
        datum: BaseDatum::Idnr,
        denied: Denied::NoRule,
    };
    let all_permitted = history(vec![landkarte(&all)]);
    assert!(newest(&all_permitted, RECEIVER, &BaseDatum::ALL).is_ok());
    // A register that only provides may have its numbers filled in: whether it may request evidence does not matter.
    assert!(newest(&all_permitted, "kba.zfzr", &BaseDatum::ALL).is_ok());
    assert_eq!(newest(&all_permitted, "nowhere", &[]), Err(BaseDataError::Receiver));
    let other_purpose = permit(
        &all_permitted,
        all_permitted.newest_versions(),
        RECEIVER,
        &[],
        "besteuerung",
    );
    assert_eq!(other_purpose, Err(no_rule.clone()));
    for state in [ComponentState::Suspended, ComponentState::Retired] {
        let Value::Component(mut component) = component(RECEIVER, 20) else {
            panic!()
        };
        component.state = state;
        let change = (DIRECTORY, vec![put(&Value::Component(component))]);
        assert_eq!(denied(&history(vec![landkarte(&all), change])), BaseDataError::Receiver);
    }
    let Value::Body(mut other) = body("stadt") else {
        panic!()
    };
    other.classes = Sorted::default();
    let change = (DIRECTORY, vec![put(&Value::Body(other))]);
    assert_eq!(denied(&history(vec![landkarte(&all), change])), no_rule);
    // The decision of earlier versions can be replayed.
    let ended = history(vec![
        landkarte(&all),
        (REGISTERLANDKARTE, vec![end("permission/idnr-nummer@1")]),
    ]);
    assert_eq!(denied(&ended), no_rule);
    let before = all_permitted.newest_versions();
    let then = permit(&ended, before, RECEIVER, &BaseDatum::ALL, PURPOSE).unwrap();
    assert_eq!(then, newest(&all_permitted, RECEIVER, &BaseDatum::ALL).unwrap());
    assert_eq!(
        then.registerlandkarte(),
        all_permitted.state().registerlandkarte().header()
    );
}

#[test]
fn a_rule_for_something_else_permits_no_base_data() {
    type Change = fn(&mut Rule);
    let cases: [(Change, Denied); 3] = [
        (|rule| rule.idnr = false, Denied::Idnr),
        (|rule| rule.area = AreaRelation::Person, Denied::Area),
        (
            |rule| {
                rule.idnr = false;
                rule.subjects = Subjects::Legal;
            },
            Denied::Subject,
        ),
    ];
    for (change, denied) in cases {
        let history = history(vec![landkarte(&[base_rule(BaseDatum::Idnr, change)])]);
        let datum = BaseDatum::Idnr;
        assert_eq!(
            newest(&history, RECEIVER, &[]),
            Err(BaseDataError::Denied { datum, denied })
        );
    }
    // One rule that delays its record delays that of the release.
    let delayed = |rule: &mut Rule| rule.disclosure = DisclosureClass::Delayed;
    let history = history(vec![landkarte(&[
        base_rule(BaseDatum::Idnr, |_| ()),
        base_rule(BaseDatum::Place, delayed),
    ])]);
    let disclosure = |wanted: &[BaseDatum]| newest(&history, RECEIVER, wanted).unwrap().disclosure();
    assert_eq!(disclosure(&[]), DisclosureClass::Immediate);
    assert_eq!(disclosure(&[BaseDatum::Place]), DisclosureClass::Delayed);
}
