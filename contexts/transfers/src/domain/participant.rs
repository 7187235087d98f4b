//! A participant: a bank that takes part in the hub's transfers.

use serde::{Deserialize, Serialize};
use shared_kernel::domain::{BankCode, Ispb, Money, Timestamp, Violation};

use super::{ParticipantEvent, ParticipantName};

/// How the hub talks to a bank.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// Our own events, on the bank's own topic.
    #[default]
    Native,
    /// The classic protocol of bank programs that are not ours.
    Classic,
}

impl Protocol {
    /// Its text in rows and events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Classic => "classic",
        }
    }

    /// When a bank that speaks it credits its customers.
    pub const fn credit_timing(self) -> CreditTiming {
        match self {
            Self::Native => CreditTiming::OnConfirmation,
            Self::Classic => CreditTiming::OnDelivery,
        }
    }

    /// Reads the text.
    ///
    /// # Errors
    /// `participant_protocol_unknown` for any other text.
    pub fn parse(text: &str) -> Result<Self, Violation> {
        match text {
            "native" => Ok(Self::Native),
            "classic" => Ok(Self::Classic),
            _ => Err(Violation::invalid(
                "participant_protocol_unknown",
                "protocol",
                "the protocol must be native or classic",
            )),
        }
    }
}

/// Whether a participant may pay and be paid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParticipantStatus {
    /// It may.
    #[default]
    Active,
    /// Orders from it and to it are refused; what is settled stays settled.
    Suspended,
}

impl ParticipantStatus {
    /// Its text in rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }

    /// Reads the text.
    ///
    /// # Errors
    /// `participant_status_unknown` for any other text.
    pub fn parse(text: &str) -> Result<Self, Violation> {
        match text {
            "active" => Ok(Self::Active),
            "suspended" => Ok(Self::Suspended),
            _ => Err(Violation::invalid(
                "participant_status_unknown",
                "status",
                "the status must be active or suspended",
            )),
        }
    }
}

/// When a bank credits its customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CreditTiming {
    /// After the hub has settled: an expiry never takes money back from a customer.
    OnConfirmation,
    /// As soon as it is told of the transfer, and it cannot be told to take it back. As a payer's
    /// bank it has debited before it orders.
    OnDelivery,
}

impl CreditTiming {
    /// Its text in rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OnConfirmation => "on_confirmation",
            Self::OnDelivery => "on_delivery",
        }
    }

    /// Reads the text.
    ///
    /// # Errors
    /// `credit_timing_unknown` for any other text.
    pub fn parse(text: &str) -> Result<Self, Violation> {
        match text {
            "on_confirmation" => Ok(Self::OnConfirmation),
            "on_delivery" => Ok(Self::OnDelivery),
            _ => Err(Violation::invalid(
                "credit_timing_unknown",
                "credit_timing",
                "a bank credits on_confirmation or on_delivery",
            )),
        }
    }
}

/// A bank that takes part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participant {
    /// Its identity in the payment system.
    pub ispb: Ispb,
    /// The short code that people know; no two banks share one.
    pub code: BankCode,
    /// Its name.
    pub name: ParticipantName,
    /// How the hub talks to it.
    pub protocol: Protocol,
    /// Whether it may pay and be paid.
    pub status: ParticipantStatus,
    /// Most that it may owe; no limit when absent.
    pub position_limit: Option<Money>,
    /// Since when it takes part.
    pub enrolled_at: Timestamp,
    /// Counts what happened to it.
    pub version: i64,
}

/// What an operator wants of a bank's limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LimitWish {
    /// Nothing: it stays, and a new bank has none.
    #[default]
    AsItIs,
    /// The bank may owe whatever it likes.
    Without,
    /// This is the most that it may owe.
    Most(Money),
}

impl LimitWish {
    /// The limit that follows from the one so far.
    pub const fn after(self, present: Option<Money>) -> Option<Money> {
        match self {
            Self::AsItIs => present,
            Self::Without => None,
            Self::Most(limit) => Some(limit),
        }
    }
}

/// What an operator asks for when enrolling a bank, or changing one that takes part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolment {
    /// The bank's ISPB.
    pub ispb: Ispb,
    /// Its code.
    pub code: BankCode,
    /// Its name.
    pub name: ParticipantName,
    /// How the hub will talk to it: as it does when absent, natively with a new bank.
    pub protocol: Option<Protocol>,
    /// Most that it may owe.
    pub position_limit: LimitWish,
}

impl Enrolment {
    /// The ISPB of a bank that is enrolled by its code alone: the code in upper case, padded left
    /// with zeros to 8 characters.
    ///
    /// # Errors
    /// `ispb_required` for a code of more than 8 characters.
    pub fn default_ispb(code: &BankCode) -> Result<Ispb, Violation> {
        Ispb::parse(&format!("{:0>8}", code.as_str().to_ascii_uppercase())).map_err(|_too_long| {
            Violation::invalid(
                "ispb_required",
                "ispb",
                "a bank code of more than 8 characters gives no ISPB: name it",
            )
        })
    }

    /// Refuses a limit below zero.
    ///
    /// # Errors
    /// `position_limit_negative`.
    pub fn check(&self) -> Result<(), Violation> {
        let is_negative = match self.position_limit {
            LimitWish::AsItIs | LimitWish::Without => false,
            LimitWish::Most(limit) => limit.is_negative(),
        };
        if is_negative {
            return Err(Violation::invalid(
                "position_limit_negative",
                "position_limit",
                "the position limit is the most that the bank may owe, zero or more",
            ));
        }
        Ok(())
    }
}

impl Participant {
    /// The bank of an enrolment, before anything happened to it.
    pub fn of(enrolment: Enrolment, now: Timestamp) -> Self {
        let Enrolment { ispb, code, name, protocol, position_limit } = enrolment;
        let (protocol, position_limit) = (protocol.unwrap_or_default(), position_limit.after(None));
        let status = ParticipantStatus::Active;
        Self { ispb, code, name, protocol, status, position_limit, enrolled_at: now, version: 0 }
    }

    /// Decides an enrolment of a bank that takes part already: name and limit may change, its
    /// protocol too while nothing of it is under way, its code may not. What the enrolment does not
    /// name stays. `None` when everything is so already.
    ///
    /// # Errors
    /// `bank_code_fixed`.
    pub fn change(&self, wanted: &Enrolment) -> Result<Option<ParticipantEvent>, Violation> {
        if self.code != wanted.code {
            return Err(Violation::failed_precondition(
                "bank_code_fixed",
                "code",
                format!("bank {} is enrolled with the code {}, which stays", self.ispb, self.code),
            ));
        }
        let protocol = wanted.protocol.unwrap_or(self.protocol);
        let position_limit = wanted.position_limit.after(self.position_limit);
        let same = self.name == wanted.name
            && self.protocol == protocol
            && self.position_limit == position_limit;
        let name = wanted.name.clone();
        Ok((!same).then_some(ParticipantEvent::Changed { name, protocol, position_limit }))
    }

    /// Takes over what happened.
    pub fn apply(&mut self, event: &ParticipantEvent) {
        self.version = self.version.saturating_add(1);
        match event {
            ParticipantEvent::Enrolled => {}
            ParticipantEvent::Changed { name, protocol, position_limit } => {
                self.name = name.clone();
                self.protocol = *protocol;
                self.position_limit = *position_limit;
            }
        }
    }

    /// Whether it may pay and be paid.
    pub fn is_active(&self) -> bool {
        self.status == ParticipantStatus::Active
    }

    /// Whether it hears of new transfers in our events.
    pub fn has_topic(&self) -> bool {
        self.protocol == Protocol::Native
    }

    /// When it credits its customers.
    pub const fn credit_timing(&self) -> CreditTiming {
        self.protocol.credit_timing()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{at, ispb, native};
    use super::*;

    fn wanted(of: &Participant) -> Enrolment {
        let Participant { ispb, code, name, protocol, position_limit, .. } = of.clone();
        let position_limit = position_limit.map_or(LimitWish::Without, LimitWish::Most);
        Enrolment { ispb, code, name, protocol: Some(protocol), position_limit }
    }

    #[test]
    fn a_new_bank_is_active_and_at_version_one() {
        let known = native("00000001");
        let mut bank = Participant::of(wanted(&known), at(0));
        bank.apply(&ParticipantEvent::Enrolled);
        assert!(bank.is_active());
        assert_eq!((bank.version, bank.enrolled_at), (1, at(0)));
    }

    #[test]
    fn the_same_enrolment_changes_nothing() {
        let bank = native("00000001");
        assert_eq!(bank.change(&wanted(&bank)), Ok(None));
    }

    #[test]
    fn name_and_limit_may_change() {
        let mut bank = native("00000001");
        let name = ParticipantName::parse("Other").unwrap();
        let limit = Money::from_centavos(5);
        let position_limit = LimitWish::Most(limit);
        let change = Enrolment { name: name.clone(), position_limit, ..wanted(&bank) };
        let event = bank.change(&change).unwrap().unwrap();
        bank.apply(&event);
        assert_eq!((bank.name, bank.position_limit, bank.version), (name, Some(limit), 2));
    }

    #[test]
    fn what_an_enrolment_does_not_name_stays() {
        let limit = Money::from_centavos(5);
        let known = Participant {
            protocol: Protocol::Classic,
            position_limit: Some(limit),
            ..native("00000001")
        };
        let (protocol, position_limit) = (None, LimitWish::AsItIs);
        let silent = Enrolment { protocol, position_limit, ..wanted(&known) };
        assert_eq!(known.change(&silent), Ok(None));
        let name = ParticipantName::parse("Other").unwrap();
        let event = known.change(&Enrolment { name, ..silent.clone() }).unwrap().unwrap();
        let mut renamed = known.clone();
        renamed.apply(&event);
        assert_eq!((renamed.protocol, renamed.position_limit), (Protocol::Classic, Some(limit)));
        let bank = Participant::of(silent.clone(), at(0));
        assert_eq!((bank.protocol, bank.position_limit), (Protocol::Native, None));
        let without = Enrolment { position_limit: LimitWish::Without, ..silent };
        let event = known.change(&without).unwrap().unwrap();
        renamed.apply(&event);
        assert_eq!((renamed.protocol, renamed.position_limit), (Protocol::Classic, None));
    }

    #[test]
    fn the_code_stays_and_the_protocol_may_change() {
        let bank = native("00000001");
        let other = Enrolment { code: BankCode::parse("9").unwrap(), ..wanted(&bank) };
        assert_eq!(bank.change(&other).unwrap_err().code(), "bank_code_fixed");
        let classic = Enrolment { protocol: Some(Protocol::Classic), ..wanted(&bank) };
        let event = bank.change(&classic).unwrap().unwrap();
        let mut bank = bank;
        bank.apply(&event);
        assert_eq!(bank.protocol, Protocol::Classic);
        assert_eq!(bank.change(&classic), Ok(None));
    }

    #[test]
    fn a_code_gives_the_ispb() {
        let of = |code: &str| Enrolment::default_ispb(&BankCode::parse(code).unwrap());
        assert_eq!(of("001"), Ok(ispb("00000001")));
        assert_eq!(of("nlb"), Ok(ispb("00000NLB")));
        assert_eq!(of("12345678"), Ok(ispb("12345678")));
        assert_eq!(of("123456789").unwrap_err().code(), "ispb_required");
    }

    #[test]
    fn a_limit_is_not_negative() {
        let limit = |centavos| Enrolment {
            position_limit: LimitWish::Most(Money::from_centavos(centavos)),
            ..wanted(&native("00000001"))
        };
        assert_eq!(limit(0).check(), Ok(()));
        assert_eq!(limit(-1).check().unwrap_err().code(), "position_limit_negative");
        for position_limit in [LimitWish::AsItIs, LimitWish::Without] {
            let wish = Enrolment { position_limit, ..wanted(&native("00000001")) };
            assert_eq!(wish.check(), Ok(()));
        }
    }

    #[test]
    fn texts_read_back() {
        for protocol in [Protocol::Native, Protocol::Classic] {
            assert_eq!(Protocol::parse(protocol.as_str()), Ok(protocol));
        }
        for timing in [CreditTiming::OnConfirmation, CreditTiming::OnDelivery] {
            assert_eq!(CreditTiming::parse(timing.as_str()), Ok(timing));
        }
        assert_eq!(CreditTiming::parse("").unwrap_err().code(), "credit_timing_unknown");
        for status in [ParticipantStatus::Active, ParticipantStatus::Suspended] {
            assert_eq!(ParticipantStatus::parse(status.as_str()), Ok(status));
        }
        assert_eq!(Protocol::parse("").unwrap_err().code(), "participant_protocol_unknown");
        assert_eq!(ParticipantStatus::parse("").unwrap_err().code(), "participant_status_unknown");
    }

    #[test]
    fn a_classic_bank_credits_on_delivery_and_has_no_topic() {
        let classic = Participant { protocol: Protocol::Classic, ..native("00000001") };
        assert_eq!(classic.credit_timing(), CreditTiming::OnDelivery);
        assert!(!classic.has_topic());
        assert_eq!(native("00000001").credit_timing(), CreditTiming::OnConfirmation);
    }
}
