//! Balances as the protocol writes them.

use prost_types::Timestamp as ProtoTimestamp;
use shared_kernel::domain::Timestamp;

use super::proto;
use crate::domain::{AccountVersion, KnownBalance};

/// Microseconds of a second.
const MICROS: i64 = 1_000_000;

pub(super) fn balance(known: &KnownBalance) -> proto::Balance {
    let standing = known.standing();
    let funds = standing.funds();
    proto::Balance {
        account_id: known.account_id().to_string(),
        ispb: known.ispb().map(|ispb| ispb.to_string()).unwrap_or_default(),
        owner_name: known.owner_name().unwrap_or_default().to_owned(),
        available_centavos: funds.available().centavos(),
        held_centavos: funds.held().centavos(),
        total_centavos: funds.total().centavos(),
        version: standing.version().map_or(0, AccountVersion::number),
        updated_at: Some(instant(standing.since())),
        external: known.is_external(),
    }
}

fn instant(at: Timestamp) -> ProtoTimestamp {
    let micros = at.micros();
    let rest = micros.rem_euclid(MICROS).saturating_mul(1_000);
    ProtoTimestamp {
        seconds: micros.div_euclid(MICROS),
        nanos: i32::try_from(rest).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_before_1970_count_forward_within_the_second() {
        let parts = |micros| {
            let at = instant(Timestamp::from_micros(micros).unwrap());
            (at.seconds, at.nanos)
        };
        assert_eq!(parts(1_500_000), (1, 500_000_000));
        assert_eq!(parts(-1), (-1, 999_999_000));
    }
}
