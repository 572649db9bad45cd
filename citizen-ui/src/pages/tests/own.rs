//! The pages of a citizen who has asked registers.

use super::*;

#[test]
fn what_the_citizen_has_caused_is_with_the_visits_and_in_no_list_of_authorities() {
    let page = |path: &str| html(&citizen_element(Lang::De, path, &own_request()));
    // Fifty-nine own requests, one exchange and one visit.
    let visits = page("/besuche");
    assert!(visits.contains("1 Besuch und 59 Fragen an Register"));
    assert_eq!(visits.matches("Von Ihnen veranlasst").count(), 25, "one page of rows");
    let list = page("/abrufe");
    assert_eq!(list.matches("<li data-row=").count(), 1);
    assert!(list.contains("59 Mal haben Sie selbst ein Register gefragt."));
    assert_eq!(page("/uebersicht").matches("<li data-row=").count(), 1);
    let detail = page("/abrufe/17");
    assert!(detail.contains("Sie selbst") && detail.contains("/de/abrufe/17/pruefung"));
    assert!(!detail.contains("/fragen?was="), "there is no authority to ask");
}
