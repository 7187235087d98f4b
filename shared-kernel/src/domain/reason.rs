//! Why a transfer was refused, in the codes of the field.
//!
//! A closed set: the reject codes of the SPI catalogue (message pacs.002, ISO 20022 external
//! status reasons) that a hub of instant payments and its banks give. A code outside it is an
//! error at the edge, never a silent "other".

use std::fmt::{self, Display, Formatter};

use super::Violation;

/// Writes the enum, its codes and its sentences from one table.
macro_rules! reasons {
    ($($variant:ident $code:literal $en:literal $pt:literal;)+) => {
        /// Reason for which a transfer is refused, as its four characters.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ReasonCode {
            $(#[doc = concat!("`", $code, "`: ", $en)] $variant,)+
        }

        impl ReasonCode {
            /// All of them, in the order of their codes.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The four characters, e.g. `AB03`.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// The reason in English: one sentence for a customer.
            pub const fn sentence_en(self) -> &'static str {
                match self { $(Self::$variant => $en,)+ }
            }

            /// The reason in Portuguese: one sentence for a customer.
            pub const fn sentence_pt(self) -> &'static str {
                match self { $(Self::$variant => $pt,)+ }
            }
        }

        crate::text_value!(
            ReasonCode,
            text = code,
            parse = parse,
            schema = { "type": "string", "enum": [$($code),+] },
        );
    };
}

reasons! {
    Ab03 "AB03"
        "The transfer was not settled in time."
        "A transferência não foi liquidada no prazo.";
    Ab09 "AB09"
        "The payee's bank had an internal error."
        "O banco do recebedor teve um erro interno.";
    Ab11 "AB11"
        "The payer's bank did not answer in time."
        "O banco do pagador não respondeu no prazo.";
    Ac03 "AC03"
        "The payee's account does not exist."
        "A conta do recebedor não existe.";
    Ac06 "AC06"
        "The payee's account is blocked."
        "A conta do recebedor está bloqueada.";
    Ac07 "AC07"
        "The payee's account is closed."
        "A conta do recebedor está encerrada.";
    Ac14 "AC14"
        "The type of the payee's account is wrong or cannot receive."
        "O tipo da conta do recebedor está incorreto ou não pode receber.";
    Ag03 "AG03"
        "The payee's bank does not support this kind of transfer."
        "O banco do recebedor não aceita este tipo de transferência.";
    Ag12 "AG12"
        "Both accounts are at the same bank: the bank itself books the transfer."
        "As duas contas são do mesmo banco: o próprio banco faz a transferência.";
    Ag13 "AG13"
        "A return cannot be returned."
        "Uma devolução não pode ser devolvida.";
    Agnt "AGNT"
        "The bank does not settle in this system."
        "O banco não é um participante direto da liquidação.";
    Am01 "AM01"
        "The amount is zero."
        "O valor é zero.";
    Am02 "AM02"
        "The amount is above the limit of the account."
        "O valor está acima do limite da conta.";
    Am04 "AM04"
        "The payer's bank lacks the funds to settle."
        "O banco do pagador não tem saldo para a liquidação.";
    Am09 "AM09"
        "The amount of the return is above that of the transfer."
        "O valor da devolução é maior que o da transferência.";
    Am18 "AM18"
        "The number of transfers in the message is wrong."
        "A quantidade de transferências na mensagem está incorreta.";
    Be01 "BE01"
        "The tax id is not that of the payee's account."
        "O CPF ou CNPJ não é o do titular da conta do recebedor.";
    Be17 "BE17"
        "The QR code was refused by the payee's bank."
        "O QR Code foi recusado pelo banco do recebedor.";
    Ch11 "CH11"
        "The payee's tax id is wrong."
        "O CPF ou CNPJ do recebedor está incorreto.";
    Ch16 "CH16"
        "A part of the message has a wrong content."
        "Um campo da mensagem tem conteúdo incorreto.";
    Ds04 "DS04"
        "The payee's bank refused the transfer."
        "O banco do recebedor recusou a transferência.";
    Ds0g "DS0G"
        "The sender may not order this transfer."
        "O remetente não pode ordenar esta transferência.";
    Ds27 "DS27"
        "The bank is unknown or not yet active."
        "O banco é desconhecido ou ainda não está ativo.";
    Dt02 "DT02"
        "The date of the order is wrong."
        "A data da ordem está incorreta.";
    Dt05 "DT05"
        "The time for a return has passed."
        "O prazo para a devolução terminou.";
    Du03 "DU03"
        "The same transfer appears twice in the message."
        "A mesma transferência aparece duas vezes na mensagem.";
    Dupl "DUPL"
        "The same payment was ordered before."
        "O mesmo pagamento já foi ordenado.";
    Ed05 "ED05"
        "The transfer could not be settled."
        "A transferência não pôde ser liquidada.";
    Ff07 "FF07"
        "The purpose does not fit this transfer."
        "A finalidade não é compatível com esta transferência.";
    Ff08 "FF08"
        "The EndToEndId is wrong."
        "O EndToEndId está incorreto.";
    Frad "FRAD"
        "The transfer is suspected of fraud."
        "Há suspeita de fraude na transferência.";
    Rc09 "RC09"
        "The ISPB of the payer's bank is wrong."
        "O ISPB do banco do pagador está incorreto.";
    Rc10 "RC10"
        "The ISPB of the payee's bank is wrong."
        "O ISPB do banco do recebedor está incorreto.";
    Rr04 "RR04"
        "A regulation forbids the transfer."
        "Uma norma impede a transferência.";
    Sl02 "SL02"
        "The payee's bank does not offer this service."
        "O banco do recebedor não oferece este serviço.";
}

impl ReasonCode {
    /// Reads the four characters.
    ///
    /// # Errors
    /// `reason_unknown` for any other text.
    pub fn parse(text: &str) -> Result<Self, Violation> {
        Self::ALL.iter().copied().find(|reason| reason.code() == text).ok_or_else(|| {
            let message = "the reason must be one of the listed reject codes, such as AB03 or AC03";
            Violation::invalid("reason_unknown", "reason", message)
        })
    }
}

impl Display for ReasonCode {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_code_reads_back_and_speaks_both_languages() {
        for reason in ReasonCode::ALL {
            assert_eq!(reason.code().len(), 4);
            assert_eq!(ReasonCode::parse(reason.code()).unwrap(), *reason);
            assert_eq!(format!("{reason:?}").to_uppercase(), reason.to_string());
            for sentence in [reason.sentence_en(), reason.sentence_pt()] {
                assert!(sentence.ends_with('.') && sentence.len() > 10, "{reason}: {sentence}");
            }
            assert_ne!(reason.sentence_en(), reason.sentence_pt());
        }
    }

    #[test]
    fn codes_are_sorted_and_single() {
        assert!(ReasonCode::ALL.is_sorted_by(|one, next| one.code() < next.code()));
        assert_eq!(ReasonCode::ALL.len(), 35);
    }

    #[test]
    fn json_is_the_code() {
        assert_eq!(serde_json::to_string(&ReasonCode::Ds0g).unwrap(), "\"DS0G\"");
        assert_eq!(serde_json::from_str::<ReasonCode>("\"DS0G\"").unwrap(), ReasonCode::Ds0g);
        assert!(serde_json::from_str::<ReasonCode>("\"XX99\"").is_err());
        let schema = serde_json::to_value(schemars::schema_for!(ReasonCode)).unwrap();
        assert_eq!(schema["enum"][0], "AB03");
    }

    #[test]
    fn refuses_an_unlisted_code() {
        for wrong in ["", "ab03", "AB03 ", "ACSC", "XX99"] {
            let broken = ReasonCode::parse(wrong).unwrap_err();
            assert_eq!((broken.code(), broken.field()), ("reason_unknown", "reason"));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_unchanged_or_refused(text in "[A-Z0-9]{4}|\\PC*") {
            if let Ok(reason) = ReasonCode::parse(&text) {
                prop_assert_eq!(reason.code(), &text);
            }
        }
    }
}
