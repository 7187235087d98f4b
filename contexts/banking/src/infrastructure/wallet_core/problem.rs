//! Refusals as that protocol has them: 400, with our JSON.

use axum::http::StatusCode;
use shared_kernel::application::ApplicationError;
use shared_kernel::domain::{Kind, Violation};
use shared_kernel::infrastructure::rest::Problem;

/// The rule's name for a part of the request, in the words of the request.
const FIELDS: &[(&str, &str)] = &[
    ("account_id", "account_id_from"),
    ("payee_account_id", "account_id_to"),
    ("payee_key", "account_id_to"),
];

/// A refused request. Whoever may not ask, and a hub that cannot answer now, are no refusals of
/// what was asked: they keep their status.
pub(super) fn refused(error: impl Into<ApplicationError>) -> Problem {
    let broken = match error.into() {
        ApplicationError::Refused(broken) => broken,
        down @ ApplicationError::Unavailable(_) => return down.into(),
    };
    if broken.code() == "bank_not_hosted" {
        let message = "Wallet Core's bank is not open here yet; ask again in a moment";
        return Violation::unavailable("wallet_core_not_open", "", message).into();
    }
    let named = FIELDS.iter().find(|(rule, _)| *rule == broken.field());
    let kind = broken.kind();
    let broken = named.map_or(broken.clone(), |(_, request)| broken.on(request));
    let problem = Problem::from(broken);
    match kind {
        Kind::Unauthenticated
        | Kind::PermissionDenied
        | Kind::ResourceExhausted
        | Kind::Unavailable
        | Kind::Internal => problem,
        Kind::Invalid
        | Kind::NotFound
        | Kind::AlreadyExists
        | Kind::FailedPrecondition
        | Kind::Aborted => problem.with_status(StatusCode::BAD_REQUEST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(broken: Violation) -> (u16, serde_json::Value) {
        let problem = refused(broken);
        (problem.status(), serde_json::to_value(&problem).unwrap())
    }

    #[test]
    fn every_refusal_of_what_was_asked_is_400_in_the_words_of_the_request() {
        let (status, body) = shown(Violation::not_found("account_not_found", "account_id", "no"));
        assert_eq!((status, &body["field"]), (400, &"account_id_from".into()));
        assert_eq!((&body["status"], &body["code"]), (&400.into(), &"account_not_found".into()));
        let poor = Violation::failed_precondition("insufficient_funds", "amount", "no");
        assert_eq!(shown(poor).0, 400);
        assert_eq!(shown(Violation::already_exists("taken", "client_id", "no")).0, 400);
    }

    #[test]
    fn who_may_not_ask_and_what_does_not_answer_keep_their_status() {
        assert_eq!(shown(Violation::unauthenticated("token_missing", "", "no")).0, 401);
        assert_eq!(shown(Violation::permission_denied("operator_only", "", "no")).0, 403);
        let (status, body) = shown(Violation::not_found("bank_not_hosted", "ispb", "no"));
        assert_eq!((status, &body["code"]), (503, &"wallet_core_not_open".into()));
        let down = refused(ApplicationError::Unavailable("secret".into()));
        assert_eq!(down.status(), 503);
    }
}
