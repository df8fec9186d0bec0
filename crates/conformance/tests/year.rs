//! Days of the ledger; the year is `examples/ledger-year.rs`.

use countersign_conformance::year::{Knowing, simulate};

#[tokio::test]
async fn whoever_knows_the_password_guesses_for_at_most_one_in_ten_thousand() {
    let told = simulate(4, Knowing::ThePassword, 7, |_| {}).await;
    assert!(told.judged > 10, "they were judged: {told:?}");
    assert!(told.chance > 1e-5 && told.chance <= 1e-4, "{told:?}");
    assert!(told.closed_after < 3, "and then no more: {told:?}");
    assert_eq!(told.logins, 4, "the owner's known browser has a share of its own: {told:?}");
    assert!(told.refused_on.is_empty(), "{told:?}");
    assert!(told.remembered_works && told.recovery_works, "{told:?}");
}

#[tokio::test]
async fn whoever_knows_the_name_alone_keeps_nobody_out() {
    let told = simulate(3, Knowing::TheName, 7, |_| {}).await;
    assert_eq!((told.judged, told.won, told.logins), (0, 0, 3), "{told:?}");
    assert!(told.refused_on.is_empty(), "{told:?}");
    assert!(told.remembered_works && told.recovery_works, "{told:?}");
}
