//! Values of the field that every context speaks, and the one form of a broken rule.
//!
//! Each type is parsed once, at the edge, and is valid ever after: no function further in asks
//! again. A value prints, stores and travels as the one canonical text of its source.

mod digest;
mod end_to_end_id;
mod error;
pub mod id;
mod ispb;
mod money;
mod reason;
mod tax_id;
mod time;

pub use digest::Digest;
pub use end_to_end_id::EndToEndId;
pub use error::{Kind, Violation};
pub use id::{AccountId, EventId};
pub use ispb::{BankCode, Ispb};
pub use money::{Amount, CURRENCY, Money};
pub use reason::ReasonCode;
pub use tax_id::{Cnpj, Cpf, TaxId, TaxIdKind};
pub use time::{Day, Timestamp};
