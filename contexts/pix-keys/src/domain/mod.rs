//! The directory's own values and rules: which text is a key, whose it is, who may have it.

mod account;
mod account_details;
mod account_status;
mod entry;
mod entry_id;
pub mod error;
mod event;
mod key;
mod key_kind;
mod owner_name;
mod participant;
mod removal_reason;
mod spelling;

pub use account::{Account, AccountFact, AccountNews};
pub use account_details::{AccountDetails, AccountFields, Owner};
pub use account_status::AccountStatus;
pub use entry::{Entry, EntryState, Holding, Registration, key_limit};
pub use entry_id::EntryId;
pub use event::{EntryEvent, KeyRegistered, KeyRemoved};
pub use key::PixKey;
pub use key_kind::PixKeyKind;
pub use owner_name::OwnerName;
pub use participant::Participant;
pub use removal_reason::RemovalReason;
pub use spelling::Spelling;
