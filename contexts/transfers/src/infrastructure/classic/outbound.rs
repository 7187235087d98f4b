//! What bank programs are told. Every message has every field; the amount is a JSON number without
//! needless digits, because some programs keep it as a whole number; `description` and `error` are
//! texts and never null.

use serde_json::value::RawValue;
use shared_kernel::application::{Published, StoreError};
use shared_kernel::domain::{Amount, Money, ReasonCode};

use super::published::{BANK_PROGRAMS, BankProgramTold};
use crate::application::hand_over::HandOver;
use crate::application::outside::{OrderRefusal, kind_of};
use crate::application::ports::{Letter, Word};
use crate::domain::{OrderId, Transfer};

// Bounds of what is echoed of a refused order, which passed no check: the longest description and
// key that an order can have, more than any kind of key, and more digits than any amount.
const DESCRIPTION_LENGTH_MAX: usize = 140;
const KEY_LENGTH_MAX: usize = 77;
const KIND_LENGTH_MAX: usize = 20;
const AMOUNT_LENGTH_MAX: usize = 40;

/// A JSON number: `10`, `10.5`, `10.05`.
fn number(amount: Money) -> Box<RawValue> {
    let centavos = amount.centavos();
    let (whole, part) = (centavos.div_euclid(100), centavos.rem_euclid(100));
    let text = match part {
        0 => format!("{whole}"),
        tens if tens % 10 == 0 => format!("{whole}.{}", tens.div_euclid(10)),
        part => format!("{whole}.{part:02}"),
    };
    RawValue::from_string(text).unwrap_or_else(|_never| nothing())
}

fn nothing() -> Box<RawValue> {
    RawValue::NULL.to_owned()
}

/// The beginning of a text, so many characters of it.
fn beginning(text: &str, length_max: usize) -> &str {
    let end = text.char_indices().nth(length_max).map_or(text.len(), |(end, _)| end);
    text.get(..end).unwrap_or_default()
}

/// What a program wrote as an amount, if it is a number at all and of a length that a number has;
/// zero otherwise: programs expect a number.
fn echo(amount: &str) -> Box<RawValue> {
    let number_of = |text: &str| match serde_json::from_str::<serde_json::Number>(text) {
        Ok(_) if text.len() <= AMOUNT_LENGTH_MAX => RawValue::from_string(text.to_owned()).ok(),
        Ok(_) | Err(_) => None,
    };
    Money::from_json_number(amount)
        .map_or_else(|_broken| number_of(amount).unwrap_or_else(|| number(Money::ZERO)), number)
}

/// What a bank program is told of a transfer.
///
/// # Errors
/// [`StoreError::Rejected`] when it has no JSON.
pub fn letter(transfer: &Transfer, letter: &Letter) -> Result<Published, StoreError> {
    let order = transfer.order();
    let id = transfer.ends().order_id.unwrap_or_else(|| OrderId::of(&order.end_to_end_id));
    let key = letter.payee_key.as_str();
    let (status, error) = match letter.word {
        Word::Credit => ("pending", ""),
        Word::Settled => ("confirmed", ""),
        Word::Failed => {
            let reason = letter.standing.reason;
            ("error", reason.map_or("the transfer failed", ReasonCode::sentence_en))
        }
    };
    let message = BankProgramTold {
        id,
        account_id: order.payer.account_id,
        amount: number(Amount::money(order.amount)),
        pix_key_to: key,
        pix_key_kind_to: kind_of(key),
        pix_key_to_kind: kind_of(key),
        description: order.description.as_str(),
        status,
        error,
    };
    let topics = vec![BANK_PROGRAMS.topic_named(&letter.topic)];
    Published::of(&message, topics, id.to_string(), 0, letter.trace.clone())
}

/// The hand-over of a transfer, as it is stored: the topic without its prefix.
///
/// # Errors
/// As [`letter`].
pub fn hand_over(transfer: &Transfer, word: &Letter) -> Result<HandOver, StoreError> {
    let told = letter(transfer, word)?;
    let payload = String::from_utf8(told.payload().to_vec())
        .map_err(|error| StoreError::Rejected(format!("JSON is UTF-8: {error}")))?;
    Ok(HandOver {
        end_to_end_id: transfer.order().end_to_end_id,
        topic: word.topic.clone(),
        key: told.subject().to_owned(),
        payload,
        trace: word.trace.as_str().to_owned(),
    })
}

/// The refusal of an order that never was a transfer. Of a text that is too long it echoes the
/// beginning: a record that the broker does not take would stop everything behind it.
///
/// # Errors
/// As [`letter`].
pub fn refusal(refusal: &OrderRefusal) -> Result<Published, StoreError> {
    let order = &refusal.order;
    let known = kind_of(&order.key);
    let kind = if order.kind.is_empty() { known } else { order.kind.as_str() };
    let kind = beginning(kind, KIND_LENGTH_MAX);
    let message = BankProgramTold {
        id: order.order_id,
        account_id: order.account_id,
        amount: echo(&order.amount),
        pix_key_to: beginning(&order.key, KEY_LENGTH_MAX),
        pix_key_kind_to: kind,
        pix_key_to_kind: kind,
        description: beginning(&order.description, DESCRIPTION_LENGTH_MAX),
        status: "error",
        error: &refusal.sentence,
    };
    let topics = vec![BANK_PROGRAMS.topic_named(&refusal.topic)];
    Published::of(&message, topics, order.order_id.to_string(), 0, refusal.trace.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::application::outside::OutsideOrder;
    use crate::application::testing::trace;
    use crate::domain::testing::{PAYER_BANK, at, ispb, order, pending_between};
    use crate::domain::{CreditTiming, Side, TransferEvent};

    fn told(word: Word, events: &[TransferEvent]) -> Value {
        let mut transfer = pending_between(1, CreditTiming::OnDelivery, CreditTiming::OnDelivery);
        for event in events {
            transfer.apply(*event);
        }
        let standing = *transfer.standing();
        let topic = "bank002".to_owned();
        let payee_key = transfer.order().payee_key.clone();
        let trace = trace(1);
        let letter = Letter { to: Side::Payee, topic, word, payee_key, standing, trace };
        let hand_over = hand_over(&transfer, &letter).unwrap();
        assert!(hand_over.payload.starts_with('{'));
        assert_eq!(hand_over.topic, "bank002");
        serde_json::from_str(&hand_over.payload).unwrap()
    }

    #[test]
    fn every_field_is_there_and_has_its_type() {
        let pending = told(Word::Credit, &[]);
        let transfer = pending_between(1, CreditTiming::OnDelivery, CreditTiming::OnDelivery);
        let expected = json!({
            "id": transfer.ends().order_id.unwrap(),
            "accountId": transfer.order().payer.account_id,
            "amount": 1,
            "pixKeyTo": "someone@example.com",
            "pixKeyKindTo": "email",
            "pixKeyToKind": "email",
            "description": "",
            "status": "pending",
            "error": "",
        });
        assert_eq!(pending, expected);
        let confirmed = told(Word::Settled, &[TransferEvent::Confirmed { at: at(1) }]);
        assert_eq!((&confirmed["status"], &confirmed["error"]), (&json!("confirmed"), &json!("")));
        let rejected = TransferEvent::Rejected { reason: ReasonCode::Am04, at: at(1) };
        let failed = told(Word::Failed, &[rejected]);
        assert_eq!(failed["status"], "error");
        assert_eq!(failed["error"], ReasonCode::Am04.sentence_en());
    }

    #[test]
    fn amounts_are_exact_numbers_without_needless_digits() {
        let text = |centavos| number(Money::from_centavos(centavos)).get().to_owned();
        let cases = [
            (1, "0.01"),
            (10, "0.1"),
            (100, "1"),
            (1_050, "10.5"),
            (1_005, "10.05"),
            (999_999_999_999, "9999999999.99"),
        ];
        for (centavos, expected) in cases {
            assert_eq!(text(centavos), expected);
        }
        for (written, told) in [("1.50", "1.5"), ("1.001", "1.001"), ("", "0"), ("x", "0")] {
            assert_eq!(echo(written).get(), told);
        }
    }
    #[test]
    fn a_refusal_echoes_the_beginning_of_what_is_too_long() {
        let long = |of: &str| of.repeat(250_000);
        let refused = OrderRefusal {
            order: OutsideOrder {
                order_id: OrderId::of(&order(1).end_to_end_id),
                account_id: order(1).payer.account_id,
                amount: long("1"),
                key: long("é"),
                kind: long("k"),
                description: long("€"),
            },
            bank: ispb(PAYER_BANK),
            topic: "bank001".into(),
            sentence: "no key was found".into(),
            remember: true,
            trace: trace(1),
        };
        let told = refusal(&refused).unwrap();
        assert!(told.payload().len() < 2_000, "{}", told.payload().len());
        let told: Value = serde_json::from_slice(told.payload()).unwrap();
        assert_eq!(told["pixKeyTo"], "é".repeat(77));
        assert_eq!(told["pixKeyKindTo"], "k".repeat(20));
        assert_eq!(told["pixKeyToKind"], told["pixKeyKindTo"]);
        assert_eq!(told["description"], "€".repeat(140));
        assert_eq!((&told["amount"], &told["status"]), (&json!(0), &json!("error")));
        assert_eq!(echo(&"1".repeat(40)).get(), "1".repeat(40));
    }
}
