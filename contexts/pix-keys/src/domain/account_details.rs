//! Where an account is found at its bank, and whose it is.

use shared_kernel::domain::{TaxId, Violation};

use super::OwnerName;

/// Owner of an account and of its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Name as the bank writes it.
    pub name: OwnerName,
    /// CPF or CNPJ: what tells one owner from another.
    pub tax_id: TaxId,
}

/// What is known of an account besides its id, its bank and its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountDetails {
    /// Branch; empty where the bank has none.
    pub branch: String,
    /// Number at the bank, check digit included.
    pub number: String,
    /// Owner.
    pub owner: Owner,
}

/// The texts of which details are made.
#[derive(Clone, Copy, Debug)]
pub struct AccountFields<'a> {
    /// Branch, may be empty.
    pub branch: &'a str,
    /// Number.
    pub number: &'a str,
    /// Name of the owner.
    pub owner_name: &'a str,
    /// CPF or CNPJ of the owner.
    pub owner_tax_id: &'a str,
}

/// Digits of the longest branch (DICT API 2.12, `Branch`).
const BRANCH_LENGTH_MAX: usize = 4;
/// Characters of the longest account number (DICT API 2.12, `AccountNumber`).
const NUMBER_LENGTH_MAX: usize = 20;

impl AccountDetails {
    /// Reads what an operator enrols, or a bank tells.
    ///
    /// # Errors
    /// `branch_shape`, `account_number_shape`, `owner_name_shape`, or those of a tax id on the
    /// field `owner_tax_id`.
    pub fn parse(fields: AccountFields<'_>) -> Result<Self, Violation> {
        let AccountFields { branch, number, owner_name, owner_tax_id } = fields;
        let digits = branch.bytes().all(|byte| byte.is_ascii_digit());
        if branch.len() > BRANCH_LENGTH_MAX || !digits {
            let message = "a branch must be empty or 1 to 4 digits";
            return Err(Violation::invalid("branch_shape", "branch", message));
        }
        let letters_and_digits = number.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !(1..=NUMBER_LENGTH_MAX).contains(&number.len()) || !letters_and_digits {
            let message = "an account number must be 1 to 20 letters or digits";
            return Err(Violation::invalid("account_number_shape", "number", message));
        }
        let name = OwnerName::parse(owner_name)?;
        let tax_id = TaxId::parse(owner_tax_id).map_err(|broken| broken.on("owner_tax_id"))?;
        Ok(Self {
            branch: branch.to_owned(),
            number: number.to_owned(),
            owner: Owner { name, tax_id },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIGHT: AccountFields<'_> = AccountFields {
        branch: "0001",
        number: "1111",
        owner_name: "User BBX 1",
        owner_tax_id: "12345678909",
    };

    #[test]
    fn reads_what_a_bank_writes() {
        let details = AccountDetails::parse(RIGHT).unwrap();
        assert_eq!((details.branch.as_str(), details.number.as_str()), ("0001", "1111"));
        assert_eq!(details.owner.tax_id.as_str(), "12345678909");
        let longest = AccountFields {
            branch: "",
            number: "12345678901234567X9a",
            owner_name: &"é".repeat(150),
            owner_tax_id: "12ABC34501DE35",
        };
        assert_eq!(AccountDetails::parse(longest).unwrap().branch, "");
    }

    #[test]
    fn refuses_each_field_by_its_name() {
        let long = "1".repeat(21);
        let wrong = [
            (AccountFields { branch: "00001", ..RIGHT }, "branch_shape", "branch"),
            (AccountFields { branch: "1a", ..RIGHT }, "branch_shape", "branch"),
            (AccountFields { number: "", ..RIGHT }, "account_number_shape", "number"),
            (AccountFields { number: "1-1", ..RIGHT }, "account_number_shape", "number"),
            (AccountFields { number: &long, ..RIGHT }, "account_number_shape", "number"),
            (AccountFields { owner_name: "", ..RIGHT }, "owner_name_shape", "owner_name"),
            (AccountFields { owner_tax_id: "1", ..RIGHT }, "tax_id_length", "owner_tax_id"),
        ];
        for (fields, code, field) in wrong {
            let broken = AccountDetails::parse(fields).unwrap_err();
            assert_eq!((broken.code(), broken.field()), (code, field));
        }
    }
}
