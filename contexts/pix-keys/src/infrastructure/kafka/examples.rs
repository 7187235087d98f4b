//! Examples of what the directory publishes, for the catalogue and the contract tests: João
//! registers his e-mail address at bank 002 and removes it a day later.

use shared_kernel::application::Published;
use shared_kernel::application::catalogue::{ExampleError, example_trace};
use shared_kernel::domain::{AccountId, Ispb, Timestamp};

use super::published::published;
use crate::application::ports::EntryChange;
use crate::domain::{
    Account, AccountDetails, AccountFields, Entry, EntryId, PixKey, PixKeyKind, Registration,
    RemovalReason,
};

type Example = Result<Published, ExampleError>;

const JOAO: &str = "103cc632-78e7-4476-ab63-d5ad3a562d26";

fn registration() -> Result<EntryChange, ExampleError> {
    let details = AccountDetails::parse(AccountFields {
        branch: "0001",
        number: "3333",
        owner_name: "João Souza",
        owner_tax_id: "11144477735",
    })?;
    let account = Account::enrolled(AccountId::parse(JOAO)?, Ispb::parse("00000002")?, details);
    let wanted = Registration {
        owner_is_made_up: false,
        entry_id: EntryId::parse("0193487f-7a00-7c55-8b1a-5d2f0c9a4e11")?,
        account: &account,
        spelling: None,
        keys_held: 0,
        now: Timestamp::parse("2026-11-20T10:30:00Z")?,
    };
    let mut entry = Entry::vacant(PixKey::parse(PixKeyKind::Email, "joao@example.com")?);
    let event = entry.register(&wanted)?;
    entry.apply(&event);
    Ok(EntryChange { entry, event, trace: example_trace()? })
}

pub(super) fn registered() -> Example {
    Ok(published(&registration()?)?)
}

pub(super) fn removed() -> Example {
    let mut change = registration()?;
    let at = Timestamp::parse("2026-11-21T18:00:00Z")?;
    change.event =
        change.entry.remove(AccountId::parse(JOAO)?, RemovalReason::UserRequested, at)?;
    change.entry.apply(&change.event);
    Ok(published(&change)?)
}
