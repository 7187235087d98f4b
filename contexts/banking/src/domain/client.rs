//! A customer who came without a tax id.
//!
//! Some banks take customers on a name and an e-mail alone. The ledger, the directory and the hub
//! name every owner by a tax id, and one that is made up might be somebody's. So the bank answers
//! for such customers itself: each gets a number under the bank's own registration, a CNPJ whose
//! root is the bank's ISPB (as in the register, where the root of a bank's CNPJ is its ISPB) and
//! whose branch is the customer's number. It belongs to nobody else, and it is no key of theirs.

use shared_kernel::domain::{Cnpj, Ispb, TaxId, Timestamp, Violation};

use super::{Email, OwnerName};

shared_kernel::uuid_id! {
    /// A client of a bank.
    pub struct ClientId("client_id");
}

/// The number of a bank's first client: 1 is the bank itself.
pub const CLIENT_NUMBER_FIRST: i64 = 2;

/// Digits and letters that count a client within the bank's registration.
const DIGITS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
/// How many of them.
const LENGTH: u32 = 4;

/// A customer who came without a tax id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// The client's id.
    pub id: ClientId,
    /// The bank.
    pub ispb: Ispb,
    /// The client's name.
    pub name: OwnerName,
    /// The client's e-mail.
    pub email: Email,
    /// What stands for a tax id: a number under the bank's own registration.
    pub tax_id: TaxId,
    /// Since when.
    pub registered_at: Timestamp,
}

/// What stands for the tax id of the client of that number.
///
/// # Errors
/// `clients_exhausted` beyond 1,679,615 clients of one bank.
pub fn client_tax_id(ispb: Ispb, number: i64) -> Result<TaxId, Violation> {
    let exhausted = || {
        let message = "the bank has no numbers left for clients without a tax id";
        Violation::failed_precondition("clients_exhausted", "client", message)
    };
    let mut rest = u32::try_from(number).map_err(|_negative| exhausted())?;
    let mut counted = Vec::new();
    for _ in 0..LENGTH {
        let digit = usize::try_from(rest % 36).unwrap_or_default();
        counted.extend(DIGITS.get(digit).copied().map(char::from));
        rest /= 36;
    }
    if rest > 0 {
        return Err(exhausted());
    }
    let order: String = counted.into_iter().rev().collect();
    Cnpj::with_check_digits(&format!("{ispb}{order}")).map(TaxId::Cnpj)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tax_id(number: i64) -> Result<String, &'static str> {
        let ispb = Ispb::parse("WALLET01").unwrap();
        let tax_id = client_tax_id(ispb, number).map_err(|broken| broken.code())?;
        assert_eq!(TaxId::parse(tax_id.as_str()), Ok(tax_id));
        Ok(tax_id.as_str().chars().take(12).collect())
    }

    #[test]
    fn a_client_has_a_number_under_the_banks_own_registration() {
        assert_eq!(tax_id(CLIENT_NUMBER_FIRST), Ok("WALLET010002".into()));
        assert_eq!(tax_id(35), Ok("WALLET01000Z".into()));
        assert_eq!(tax_id(36), Ok("WALLET010010".into()));
        assert_eq!(tax_id(1_679_615), Ok("WALLET01ZZZZ".into()));
    }

    #[test]
    fn numbers_end_and_are_not_given_twice() {
        assert_eq!(tax_id(1_679_616), Err("clients_exhausted"));
        assert_eq!(tax_id(-1), Err("clients_exhausted"));
    }
}
