//! Enrolments on a real database.

use shared_kernel::application::ApplicationError;
use shared_kernel::domain::Money;
use transfers::application::EnrolParticipant;
use transfers::application::ports::{ParticipantRun, TransfersReads};
use transfers::domain::{LimitWish, Participant, Position};

use crate::harness::{BBX, Hub, enrolment, ispb, told};

fn code(answer: Result<Participant, ApplicationError>) -> &'static str {
    match answer {
        Ok(_) => "ok",
        Err(ApplicationError::Refused(violation)) => violation.code(),
        Err(ApplicationError::Unavailable(reason)) => panic!("{reason}"),
    }
}

/// All of them.
async fn participants(hub: &Hub) -> Vec<Participant> {
    hub.sessions.participants(&[ParticipantRun::default()]).await.unwrap().concat()
}

#[tokio::test]
async fn a_bank_is_stored_with_its_position_and_told() {
    let hub = Hub::empty().await;
    let bank = hub.enrol(enrolment("001", Some(500))).await.unwrap();
    assert_eq!(participants(&hub).await, std::slice::from_ref(&bank));
    assert_eq!(hub.position(BBX).await, Position::opening(ispb(BBX)));
    assert_eq!(hub.enrol(enrolment("001", Some(500))).await.unwrap(), bank);
    let changed = hub.enrol(enrolment("001", None)).await.unwrap();
    assert_eq!((changed.position_limit, changed.version), (None, 2));
    assert_eq!(participants(&hub).await, [changed]);
    let topics = vec!["codepix.transfers.participants".to_owned()];
    let event = |name: &str, version: &str| {
        (format!("codepix.transfers.{name}.v1"), version.to_owned(), topics.clone())
    };
    let sent: Vec<_> = hub.sent().await.iter().map(|record| told(&hub, record)).collect();
    assert_eq!(sent, [event("ParticipantEnrolled", "1"), event("ParticipantChanged", "2")]);
}

#[tokio::test]
async fn codes_are_unique_even_for_enrolments_that_race() {
    let hub = Hub::empty().await;
    let as_bank = |bank: &str| EnrolParticipant {
        ispb: Some(ispb(bank)),
        position_limit: LimitWish::Most(Money::ZERO),
        ..enrolment("777", None)
    };
    let race = |bank: &'static str| hub.enrol(as_bank(bank));
    let (first, second, third) =
        futures::join!(race("00000011"), race("00000012"), race("00000013"));
    let mut codes = [code(first), code(second), code(third)];
    codes.sort_unstable();
    assert_eq!(codes, ["bank_code_taken", "bank_code_taken", "ok"]);
    assert_eq!(participants(&hub).await.len(), 1);
    assert_eq!(hub.sent().await.len(), 1);
}

#[tokio::test]
async fn the_same_enrolment_that_races_itself_is_told_once() {
    let hub = Hub::empty().await;
    let race = || hub.enrol(enrolment("001", None));
    let (first, second, third) = futures::join!(race(), race(), race());
    assert_eq!([code(first), code(second), code(third)], ["ok", "ok", "ok"]);
    assert_eq!(hub.sent().await.len(), 1);
}
