//! The proof of the person's login (P10), and that each is used once.

use messages::LoginProof;
use messages::limits::{MAX_LOGIN_AHEAD, MAX_LOGIN_SECONDS};
use record::{Assurance, Timestamp};
use tlog::Hash;

use super::*;
use crate::fixture::rule;

/// A login of level high, `at` this time.
fn login(at: Timestamp) -> LoginProof {
    LoginProof::new(Hash([6; 32]), Assurance::High, at).unwrap()
}

/// An exchange whose permission demands that the person is there.
fn present(login: Option<LoginProof>) -> Plan {
    Plan {
        rule: registerlandkarte::Rule {
            preview: true,
            ..rule()
        },
        login,
        ..Plan::default()
    }
}

/// The check that refuses an exchange, if one does.
fn refused(plan: Plan) -> Option<(CheckName, &'static str)> {
    let prepared = plan.build();
    let checked = prepared.check(&prepared.world.context("kba"), 1);
    checked.err().map(|failed| (failed.check, failed.why))
}

#[test]
fn p10_where_the_person_must_be_there_a_recent_login_of_a_sufficient_level_is_proved() {
    let now = NOW.after(1);
    for at in [now, now.before(MAX_LOGIN_SECONDS), now.after(MAX_LOGIN_AHEAD)] {
        assert_eq!(refused(present(Some(login(at)))), None, "{at}");
    }
    let p10 = |why| Some((CheckName::P10, why));
    let absent = "the permission demands a person's presence, and no login is proved";
    assert_eq!(refused(present(None)), p10(absent));
    let old = login(now.before(MAX_LOGIN_SECONDS + 1));
    assert_eq!(refused(present(Some(old.clone()))), p10("the login was too long ago"));
    let future = login(now.after(MAX_LOGIN_AHEAD + 1));
    assert_eq!(refused(present(Some(future))), p10("the login is in the future"));
    let mut low = present(Some(LoginProof {
        assurance: Assurance::Low,
        ..login(now)
    }));
    assert_eq!(
        refused(present(low.login.clone())),
        p10("the login has another level of assurance than the request")
    );
    low.query.assurance = Assurance::Low;
    assert_eq!(refused(low), p10("the login's level of assurance is too low"));
}

#[test]
fn p10_without_such_a_permission_no_login_is_needed_and_a_wrong_one_is_refused() {
    assert_eq!(refused(Plan::default()), None);
    let old = Plan {
        login: Some(login(NOW.before(MAX_LOGIN_SECONDS + 1))),
        ..Plan::default()
    };
    assert_eq!(refused(old), Some((CheckName::P10, "the login was too long ago")));
}

#[tokio::test]
async fn p10_a_login_that_another_exchange_has_used_is_refused_and_the_register_is_not_asked() {
    let proof = login(NOW);
    let first = present(Some(proof.clone())).build();
    let mut running = deferred::Running::new(&first.world, 0).await;
    let reply = running.replied(&first, 1).await;
    assert_eq!(reply.statement.outcome, ReplyOutcome::Delivered);
    // The same forward again has the same answer, also after a restart.
    assert_eq!(running.replied(&first, 2).await, reply);
    let mut second = present(Some(proof));
    second.number = 1;
    let second = second.build();
    assert_ne!(first.intent, second.intent);
    let reply = running.replied(&second, 2).await;
    assert_eq!(reply.statement.outcome, ReplyOutcome::Refused);
    assert_eq!(reply.statement.refusal, Some(CheckName::P10));
    assert_eq!(running.questions(), 1);
}
