//! An order: what the payer's bank asks the hub to do. It never changes.

use shared_kernel::domain::{AccountId, Amount, Digest, EndToEndId, Ispb, TaxId, Violation};

use super::{Description, OwnerName, PayeeKey};

/// One end of a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// Its bank.
    pub ispb: Ispb,
    /// Its account there.
    pub account_id: AccountId,
    /// Who owns the account.
    pub owner_name: OwnerName,
    /// The owner's CPF or CNPJ.
    pub owner_tax_id: TaxId,
}

/// Which end of a transfer a bank is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Money leaves it.
    Payer,
    /// Money comes to it.
    Payee,
}

/// What a bank orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its identity, made by the payer's bank.
    pub end_to_end_id: EndToEndId,
    /// Who pays.
    pub payer: Party,
    /// Who is paid.
    pub payee: Party,
    /// The key that the payer paid to.
    pub payee_key: PayeeKey,
    /// How much.
    pub amount: Amount,
    /// What the payer wrote.
    pub description: Description,
}

impl Order {
    /// Fingerprint of the whole content. Times of the payer's bank are no part of it: they decide
    /// nothing, and a repeat may carry others.
    pub fn digest(&self) -> Digest {
        let amount = self.amount.centavos().to_be_bytes();
        let accounts = (self.payer.account_id.uuid(), self.payee.account_id.uuid());
        Digest::of(&[
            self.end_to_end_id.as_str().as_bytes(),
            self.payer.ispb.as_str().as_bytes(),
            accounts.0.as_bytes(),
            self.payer.owner_name.as_str().as_bytes(),
            self.payer.owner_tax_id.as_str().as_bytes(),
            self.payee.ispb.as_str().as_bytes(),
            accounts.1.as_bytes(),
            self.payee.owner_name.as_str().as_bytes(),
            self.payee.owner_tax_id.as_str().as_bytes(),
            self.payee_key.as_str().as_bytes(),
            amount.as_slice(),
            self.description.as_str().as_bytes(),
        ])
    }

    /// The party at one end.
    pub const fn party(&self, side: Side) -> &Party {
        match side {
            Side::Payer => &self.payer,
            Side::Payee => &self.payee,
        }
    }

    /// Refuses an order of anyone but the payer's bank, or with an id of another bank's making.
    ///
    /// # Errors
    /// `sender_is_not_payer` or `end_to_end_id_of_another_bank`.
    pub fn check_sender(&self, sender: Ispb) -> Result<(), Violation> {
        let payer = self.payer.ispb;
        if sender != payer {
            return Err(Violation::permission_denied(
                "sender_is_not_payer",
                "ispb",
                format!("bank {sender} orders a transfer that bank {payer} pays"),
            ));
        }
        let maker = self.end_to_end_id.ispb();
        if maker != payer {
            return Err(Violation::invalid(
                "end_to_end_id_of_another_bank",
                "end_to_end_id",
                format!("the EndToEndId was made by bank {maker}, and bank {payer} pays"),
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{PAYEE_BANK, PAYER_BANK, ispb, order};
    use super::*;

    #[test]
    fn the_digest_covers_every_part() {
        let first = order(1);
        let mut others = vec![order(2)];
        let change = |edit: fn(&mut Order)| {
            let mut other = order(1);
            edit(&mut other);
            other
        };
        others.push(change(|order| order.payer.ispb = ispb("00000009")));
        others.push(change(|order| order.payer.account_id = order.payee.account_id));
        others.push(change(|order| order.payer.owner_name = OwnerName::parse("X").unwrap()));
        others.push(change(|order| order.payer.owner_tax_id = order.payee.owner_tax_id));
        others.push(change(|order| order.payee.ispb = ispb("00000009")));
        others.push(change(|order| order.payee.account_id = order.payer.account_id));
        others.push(change(|order| order.payee.owner_name = OwnerName::parse("X").unwrap()));
        others.push(change(|order| order.payee.owner_tax_id = order.payer.owner_tax_id));
        others.push(change(|order| order.payee_key = PayeeKey::parse("x@example.com").unwrap()));
        others.push(change(|order| order.amount = Amount::from_centavos(2).unwrap()));
        others.push(change(|order| order.description = Description::parse("other").unwrap()));
        for other in &others {
            assert_ne!(first.digest(), other.digest(), "{other:?}");
        }
        assert_eq!(first.digest(), order(1).digest());
    }

    #[test]
    fn only_the_payers_bank_orders_and_under_its_own_id() {
        assert_eq!(order(1).check_sender(ispb(PAYER_BANK)), Ok(()));
        let stranger = order(1).check_sender(ispb(PAYEE_BANK)).unwrap_err();
        assert_eq!(stranger.code(), "sender_is_not_payer");
        let mut borrowed = order(1);
        borrowed.payer.ispb = ispb("00000009");
        let refused = borrowed.check_sender(ispb("00000009")).unwrap_err();
        assert_eq!(refused.code(), "end_to_end_id_of_another_bank");
    }
}
