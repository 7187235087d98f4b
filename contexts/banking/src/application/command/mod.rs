//! What banks, their customers and operators ask for.

mod block_account;
mod close_account;
mod deposit;
mod open_account;
mod pay_account;
mod register_client;
mod request_transfer;
mod set_account_limits;
mod unblock_account;
mod withdraw;

pub use block_account::BlockAccount;
pub use close_account::CloseAccount;
pub use deposit::Deposit;
pub use open_account::{OpenAccount, OpenAccountDesk};
pub use pay_account::{PayAccount, PayAccountDesk};
pub use register_client::{RegisterClient, RegisterClientDesk};
pub use request_transfer::{RequestTransfer, RequestTransferDesk, ResolvedPayee};
pub use set_account_limits::SetAccountLimits;
pub use unblock_account::UnblockAccount;
pub use withdraw::Withdraw;

use shared_kernel::application::CommandIdentity;
use shared_kernel::domain::{Digest, Ispb};

/// Identity of a command in the scope of its bank.
fn identity(ispb: Ispb, operation: &str, key: &str, content: &[&[u8]]) -> CommandIdentity {
    CommandIdentity {
        scope: format!("{ispb}/{operation}"),
        key: key.to_owned(),
        digest: Digest::of(content),
    }
}
