//! How a failed command is reported, and the exit code that says so to a script.

use serde::Serialize;

use super::paint::{Paint, Tone};
use super::table::{Cell, Fields};
use crate::client::{ClientError, Failure};

/// A failure as it is printed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Report {
    error: Body,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Body {
    code: String,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl Report {
    /// The report and the exit code of an error.
    pub(super) fn of(error: &anyhow::Error) -> (Self, u8) {
        let Some(known) = error.downcast_ref::<ClientError>() else {
            let body = Body {
                code: "command_failed".to_owned(),
                message: error.to_string(),
                field: None,
                cause: error.chain().skip(1).last().map(ToString::to_string),
                hint: None,
            };
            return (Self { error: body }, 1);
        };
        let cause = match known.failure() {
            Failure::Unreachable { cause, .. } => Some(cause.clone()),
            Failure::Refused(_) | Failure::Unanswered { .. } => None,
        };
        let body = Body {
            code: known.code().to_owned(),
            message: known.to_string(),
            field: known.field().map(str::to_owned),
            cause,
            hint: known.advice().map(str::to_owned),
        };
        (Self { error: body }, known.exit_code())
    }

    /// Lines for a person.
    pub(super) fn text(&self, paint: Paint) -> String {
        let body = &self.error;
        let fields = Fields::new()
            .field_if("  field", body.field.as_deref())
            .field_if("  cause", body.cause.as_deref())
            .field("  code", Cell::new(Tone::Faint, body.code.as_str()))
            .field_if("  hint", body.hint.as_deref());
        let error = paint.tint(Tone::Bad, "error:");
        format!("{error} {}\n{}", body.message, fields.render(paint))
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn a_refusal_is_a_sentence_a_field_and_a_code() {
        let refusal = ClientError::refused("account_not_found", Some("account_id"), "no account");
        let (report, code) = Report::of(&anyhow::Error::new(refusal.clone()));
        let expected = "error: no account\n  field  account_id\n  code   account_not_found";
        assert_eq!((report.text(Paint::new(false)).as_str(), code), (expected, 1));
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["error"]["code"], "account_not_found");
        assert_eq!(json["error"].get("hint"), None);
    }

    #[test]
    fn a_refusal_under_a_context_is_still_found() {
        let refusal = ClientError::refused("account_not_found", None, "no account");
        let wrapped = Err::<(), _>(refusal).context("while preparing").unwrap_err();
        let (report, _) = Report::of(&wrapped);
        assert_eq!(report.error.code, "account_not_found");
    }

    #[test]
    fn any_other_error_names_its_root() {
        let error = anyhow::anyhow!("disk full").context("the report was not written");
        let (report, code) = Report::of(&error);
        assert_eq!(code, 1);
        assert_eq!(report.error.message, "the report was not written");
        assert_eq!(report.error.cause.as_deref(), Some("disk full"));
    }
}
