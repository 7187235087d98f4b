//! Money that came to an account or went from it.

use shared_kernel::domain::{AccountId, Amount, EndToEndId, Ispb, Violation};

use super::{Party, TransferParties};

/// Writes the enum and its words from one table.
macro_rules! kinds {
    ($($(#[$meta:meta])* $variant:ident = $word:literal $direction:ident;)+) => {
        /// How money moved.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum MovementKind {
            $($(#[$meta])* $variant,)+
        }

        impl MovementKind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its word.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// Whether the account has more or less since.
            pub const fn direction(self) -> Direction {
                match self { $(Self::$variant => Direction::$direction,)+ }
            }
        }
    };
}

kinds! {
    /// Cash came in.
    Deposit = "deposit" Credit;
    /// Cash went out.
    Withdrawal = "withdrawal" Debit;
    /// A settled transfer to another bank left.
    TransferSent = "transfer_sent" Debit;
    /// A settled transfer of another bank arrived.
    TransferReceived = "transfer_received" Credit;
    /// A transfer within the bank left.
    BookTransferSent = "book_transfer_sent" Debit;
    /// A transfer within the bank arrived.
    BookTransferReceived = "book_transfer_received" Credit;
}

impl MovementKind {
    /// Whether it stayed inside one bank: the hub knows nothing of it.
    pub const fn is_within_bank(self) -> bool {
        match self {
            Self::BookTransferSent | Self::BookTransferReceived => true,
            Self::Deposit | Self::Withdrawal | Self::TransferSent | Self::TransferReceived => false,
        }
    }

    /// Reads its word.
    ///
    /// # Errors
    /// `movement_kind` for any other.
    pub fn parse(text: &str) -> Result<Self, Violation> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == text).ok_or_else(|| {
            let message = format!("{text:?} is no kind of movement");
            Violation::invalid("movement_kind", "movement", message)
        })
    }
}

/// Whether money came or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// It came.
    Credit,
    /// It went.
    Debit,
}

impl Direction {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Credit => "credit",
            Self::Debit => "debit",
        }
    }
}

/// One movement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    /// How.
    pub kind: MovementKind,
    /// How much.
    pub amount: Amount,
    /// The transfer that moved it; cash has none.
    pub end_to_end_id: Option<EndToEndId>,
    /// Who stood on the other side, as far as the event says; cash has nobody.
    pub counterparty: Counterparty,
    /// What the payer wrote; may be empty.
    pub description: String,
}

/// Who stood on the other side of a movement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counterparty {
    /// Their bank.
    pub ispb: Option<Ispb>,
    /// Their account.
    pub account_id: Option<AccountId>,
    /// Their name.
    pub name: Option<String>,
}

impl Movement {
    /// Fills in what the event did not say of the other side and the hub's transfer does.
    #[must_use]
    pub fn completed_by(mut self, transfer: Option<&TransferParties>) -> Self {
        let Some(transfer) = transfer else { return self };
        let Party { ispb, account_id, owner_name } = match self.kind.direction() {
            Direction::Debit => &transfer.payee,
            Direction::Credit => &transfer.payer,
        };
        let Counterparty { ispb: bank, account_id: account, name } = &mut self.counterparty;
        bank.get_or_insert(*ispb);
        account.get_or_insert(*account_id);
        name.get_or_insert_with(|| owner_name.clone());
        self
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn party(number: u128, name: &str) -> Party {
        Party {
            ispb: Ispb::parse(if number == 1 { "00000001" } else { "00000002" }).unwrap(),
            account_id: AccountId::from_uuid(Uuid::from_u128(number)),
            owner_name: name.to_owned(),
        }
    }

    fn movement(kind: MovementKind, name: Option<&str>) -> Movement {
        let counterparty =
            Counterparty { name: name.map(str::to_owned), ..Counterparty::default() };
        Movement {
            kind,
            amount: Amount::from_centavos(1).unwrap(),
            end_to_end_id: None,
            counterparty,
            description: String::new(),
        }
    }

    #[test]
    fn each_kind_reads_back_and_no_other_word_does() {
        for kind in MovementKind::ALL {
            assert_eq!(MovementKind::parse(kind.as_str()), Ok(*kind));
        }
        assert_eq!(MovementKind::parse("gift").unwrap_err().code(), "movement_kind");
    }

    #[test]
    fn the_other_side_is_completed_and_never_contradicted() {
        let transfer = TransferParties {
            end_to_end_id: EndToEndId::parse("E0000000120261120120012345678901").unwrap(),
            payer: party(1, "Ana"),
            payee: party(2, "Rui"),
            payee_key: "rui@example.com".into(),
        };
        let other = |kind, name| movement(kind, name).completed_by(Some(&transfer)).counterparty;
        let sent = other(MovementKind::TransferSent, None);
        assert_eq!(
            (sent.name.as_deref(), sent.account_id),
            (Some("Rui"), Some(transfer.payee.account_id))
        );
        let received = other(MovementKind::TransferReceived, Some("Ana M."));
        assert_eq!(
            (received.name.as_deref(), received.ispb),
            (Some("Ana M."), Some(transfer.payer.ispb))
        );
        let unknown = movement(MovementKind::TransferSent, None);
        assert_eq!(unknown.clone().completed_by(None), unknown);
    }
}
