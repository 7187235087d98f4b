//! The statements of the hub's transaction. Arrays come in, so one text serves every batch size.

use super::rows::transfer_columns;

pub(super) const LOAD: &str = concat!(
    "SELECT ",
    transfer_columns!(),
    " FROM transfers.transfer AS t WHERE t.end_to_end_id = ANY($1) \
     ORDER BY t.end_to_end_id FOR UPDATE"
);

/// Whoever changes a participant waits for those who decide by it, and the reverse: the lock of
/// [`LOCK_ENROLLED`] and this one exclude each other, and this one excludes no reader.
pub(super) const LOAD_PARTICIPANTS: &str = "SELECT ispb, code, name, protocol, status, \
     position_limit, enrolled_at, version FROM transfers.participant WHERE ispb = ANY($1) \
     ORDER BY ispb FOR KEY SHARE";

pub(super) const LOCK_ENROLLED: &str = "SELECT ispb, code, name, protocol, status, \
     position_limit, enrolled_at, version FROM transfers.participant \
     WHERE ispb = ANY($1) OR code = ANY($2) ORDER BY ispb FOR UPDATE";

pub(super) const LOCK_POSITIONS: &str = "SELECT ispb, amount, reserved FROM transfers.position \
     WHERE ispb = ANY($1) ORDER BY ispb FOR UPDATE";

pub(super) const INSERT: &str = "WITH born AS MATERIALIZED (SELECT * FROM unnest(\
     $1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::boolean[], \
     $7::boolean[], $8::bigint[], $9::timestamptz[], $10::text[], $11::uuid[], $12::text[], \
     $13::text[], $14::text[], $15::uuid[], $16::text[], $17::text[], $18::bytea[], \
     $19::bigint[], $20::text[], $21::text[], $22::timestamptz[], $23::timestamptz[], \
     $24::boolean[], $25::boolean[], $26::integer[], $27::text[], $28::text[], $29::text[], \
     $30::uuid[], $31::bytea[]) AS born (\
     end_to_end_id, state, reason, confirmed_at, finished_at, payer_reported, payee_reported, \
     version, resend_at, payer_ispb, payer_account_id, payer_owner_name, payer_owner_tax_id, \
     payee_ispb, payee_account_id, payee_owner_name, payee_owner_tax_id, digest, amount, \
     payee_key, description, registered_at, deadline, reserves, payee_told, origin, trace, \
     payer_credits, payee_credits, order_id, content)), \
     known AS (INSERT INTO transfers.outside_order \
     (order_id, ispb, account_id, content, end_to_end_id, payee_ispb) \
     SELECT order_id, payer_ispb, payer_account_id, content, end_to_end_id, payee_ispb FROM born \
     WHERE order_id IS NOT NULL), \
     opened AS (INSERT INTO transfers.open_transfer \
     (end_to_end_id, origin, trace, deadline, resend_at) \
     SELECT end_to_end_id, origin, trace, deadline, resend_at FROM born \
     WHERE finished_at IS NULL) \
     INSERT INTO transfers.transfer (\
     end_to_end_id, state, reason, confirmed_at, finished_at, payer_reported, payee_reported, \
     version, payer_ispb, payer_account_id, payer_owner_name, payer_owner_tax_id, payee_ispb, \
     payee_account_id, payee_owner_name, payee_owner_tax_id, digest, amount, payee_key, \
     description, registered_at, deadline, reserves, payee_told, payer_credits, payee_credits, \
     order_id) \
     SELECT end_to_end_id, state, reason, confirmed_at, finished_at, payer_reported, \
     payee_reported, version, payer_ispb, payer_account_id, payer_owner_name, \
     payer_owner_tax_id, payee_ispb, payee_account_id, payee_owner_name, payee_owner_tax_id, \
     digest, amount, payee_key, description, registered_at, deadline, reserves, payee_told, \
     payer_credits, payee_credits, order_id FROM born";

pub(super) const UPDATE: &str = "WITH moved AS MATERIALIZED (SELECT * FROM unnest(\
     $1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::boolean[], \
     $7::boolean[], $8::bigint[], $9::timestamptz[], $10::timestamptz[], $11::timestamptz[]) \
     AS moved (\
     end_to_end_id, state, reason, confirmed_at, finished_at, payer_reported, payee_reported, \
     version, resend_at, overdue_at, contradicted_at)), \
     ended AS (DELETE FROM transfers.open_transfer AS open USING moved \
     WHERE open.end_to_end_id = moved.end_to_end_id AND moved.finished_at IS NOT NULL), \
     waiting AS (UPDATE transfers.open_transfer AS open \
     SET resend_at = coalesce(moved.resend_at, open.resend_at), \
     overdue = moved.overdue_at IS NOT NULL \
     FROM moved WHERE open.end_to_end_id = moved.end_to_end_id AND moved.finished_at IS NULL \
     AND (moved.resend_at IS NOT NULL OR moved.overdue_at IS NOT NULL)) \
     UPDATE transfers.transfer AS t SET state = moved.state, reason = moved.reason, \
     confirmed_at = moved.confirmed_at, finished_at = moved.finished_at, \
     payer_reported = moved.payer_reported, payee_reported = moved.payee_reported, \
     version = moved.version, overdue_at = moved.overdue_at, \
     contradicted_at = moved.contradicted_at \
     FROM moved WHERE t.end_to_end_id = moved.end_to_end_id";

pub(super) const MOVE: &str = "WITH step AS MATERIALIZED (SELECT * FROM \
     unnest($1::text[], $2::bigint[], $3::bigint[]) AS step (ispb, amount, reserved)), \
     locked AS MATERIALIZED (SELECT ispb FROM transfers.position \
     WHERE ispb = ANY($1) ORDER BY ispb FOR UPDATE) \
     UPDATE transfers.position AS p SET amount = p.amount + step.amount, \
     reserved = p.reserved + step.reserved FROM step JOIN locked USING (ispb) \
     WHERE p.ispb = step.ispb";

pub(super) const OVERDUE: &str = concat!(
    "SELECT ",
    transfer_columns!(),
    ", open.trace, open.resends FROM transfers.open_transfer AS open \
     JOIN transfers.transfer AS t USING (end_to_end_id) WHERE t.end_to_end_id IN (\
     SELECT due.end_to_end_id FROM unnest($1::integer[], $2::timestamptz[]) \
     AS horizon (origin, before) JOIN transfers.open_transfer AS due \
     ON due.origin = horizon.origin AND due.deadline < horizon.before \
     WHERE due.resend_at IS NULL AND NOT due.overdue ORDER BY due.deadline LIMIT $3) \
     AND t.state = 'pending' ORDER BY t.end_to_end_id FOR UPDATE OF t SKIP LOCKED"
);

pub(super) const UNREPORTED: &str = concat!(
    "SELECT ",
    transfer_columns!(),
    ", open.trace, open.resends FROM transfers.open_transfer AS open \
     JOIN transfers.transfer AS t USING (end_to_end_id) WHERE t.end_to_end_id IN (\
     SELECT due.end_to_end_id FROM transfers.open_transfer AS due \
     WHERE due.resend_at <= $1 ORDER BY due.resend_at LIMIT $2) \
     AND t.state = 'confirmed' ORDER BY t.end_to_end_id FOR UPDATE OF t SKIP LOCKED"
);

pub(super) const RESEND: &str = "UPDATE transfers.open_transfer AS open SET resend_at = next.at, \
     resends = next.resends FROM unnest($1::text[], $2::timestamptz[], $3::integer[]) \
     AS next (end_to_end_id, at, resends) WHERE open.end_to_end_id = next.end_to_end_id";

/// The columns of participants in arrays.
macro_rules! saved_participants {
    () => {
        "FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], \
         $6::bigint[], $7::timestamptz[], $8::bigint[]) AS saved (\
         ispb, code, name, protocol, status, position_limit, enrolled_at, version)"
    };
}

pub(super) const INSERT_PARTICIPANTS: &str = concat!(
    "WITH enrolled AS (INSERT INTO transfers.participant \
     (ispb, code, name, protocol, status, position_limit, enrolled_at, version) SELECT * ",
    saved_participants!(),
    " RETURNING ispb) INSERT INTO transfers.position (ispb) SELECT ispb FROM enrolled"
);

pub(super) const UPDATE_PARTICIPANTS: &str = concat!(
    "UPDATE transfers.participant AS p SET name = saved.name, protocol = saved.protocol, \
     position_limit = saved.position_limit, version = saved.version ",
    saved_participants!(),
    " WHERE p.ispb = saved.ispb"
);

pub(super) const WITH_OPEN: &str = "SELECT bank.ispb FROM unnest($1::text[]) AS bank (ispb) \
     WHERE EXISTS (SELECT FROM transfers.open_transfer AS open \
     JOIN transfers.transfer AS t USING (end_to_end_id) \
     WHERE bank.ispb IN (t.payer_ispb, t.payee_ispb))";

pub(super) const LOAD_ORDERS: &str = "SELECT order_id, ispb, account_id, content, end_to_end_id, \
     payee_ispb, refusal FROM transfers.outside_order WHERE order_id = ANY($1)";

pub(super) const REFUSE_ORDERS: &str = "INSERT INTO transfers.outside_order \
     (order_id, ispb, account_id, content, refusal) \
     SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::bytea[], $5::text[])";

pub(super) const HAND_OVER: &str = "INSERT INTO transfers.hand_over \
     (shard, end_to_end_id, topic, key, payload, trace) SELECT * FROM unnest(\
     $1::smallint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])";

pub(super) const WAITING_HAND_OVERS: &str =
    "SELECT end_to_end_id FROM transfers.hand_over WHERE end_to_end_id = ANY($1)";

pub(super) const ACKNOWLEDGE: &str = "UPDATE transfers.resolution AS kept \
     SET acknowledgement = noted.reason, acknowledged_at = noted.at \
     FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS noted (end_to_end_id, reason, at) \
     WHERE kept.end_to_end_id = noted.end_to_end_id";

pub(super) const RESOLVE: &str = "INSERT INTO transfers.resolution \
     (end_to_end_id, resolution, reason, resolved_at) \
     SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[])";
