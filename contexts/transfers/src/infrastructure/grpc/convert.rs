//! Between the proto and the domain.

use prost_types::Timestamp as ProtoTimestamp;
use shared_kernel::application::{Caller, PageSize, Period, Place, TraceParent};
use shared_kernel::domain::{BankCode, EndToEndId, Ispb, Money, ReasonCode, Timestamp, Violation};

use super::proto::v1;
use crate::application::ports::{SavedResolution, TransferPlace};
use crate::application::{EnrolParticipant, ResolveTransfer, TransferList, TransfersOf};
use crate::domain::{
    LimitWish, Participant, ParticipantName, Party, Position, Protocol, Resolution, Transfer,
    TransferState,
};

const MICROS_PER_SECOND: i64 = 1_000_000;

fn instant(at: Timestamp) -> ProtoTimestamp {
    let micros = at.micros().rem_euclid(MICROS_PER_SECOND);
    let nanos = i32::try_from(micros.saturating_mul(1_000)).unwrap_or(0);
    ProtoTimestamp { seconds: at.micros().div_euclid(MICROS_PER_SECOND), nanos }
}

const fn state(state: TransferState) -> v1::TransferState {
    match state {
        TransferState::Pending => v1::TransferState::Pending,
        TransferState::Confirmed => v1::TransferState::Confirmed,
        TransferState::Completed => v1::TransferState::Completed,
        TransferState::Rejected => v1::TransferState::Rejected,
        TransferState::Expired => v1::TransferState::Expired,
    }
}

fn party(party: &Party) -> v1::Party {
    v1::Party {
        ispb: party.ispb.to_string(),
        account_id: party.account_id.to_string(),
        owner_name: party.owner_name.as_str().to_owned(),
        owner_tax_id: party.owner_tax_id.as_str().to_owned(),
    }
}

fn reason(code: ReasonCode) -> v1::Reason {
    v1::Reason { code: code.to_string(), sentence: code.sentence_en().to_owned() }
}

pub(super) fn transfer(transfer: &Transfer) -> v1::Transfer {
    let (order, terms) = (transfer.order(), transfer.terms());
    let standing = transfer.standing();
    v1::Transfer {
        end_to_end_id: order.end_to_end_id.to_string(),
        state: state(standing.state).into(),
        amount_centavos: order.amount.centavos(),
        payer: Some(party(&order.payer)),
        payee: Some(party(&order.payee)),
        payee_key: order.payee_key.as_str().to_owned(),
        description: order.description.as_str().to_owned(),
        reason: standing.reason.map(reason),
        registered_at: Some(instant(terms.registered_at)),
        deadline: Some(instant(terms.deadline)),
        confirmed_at: standing.confirmed_at.map(instant),
        finished_at: standing.finished_at.map(instant),
        version: standing.version,
        overdue_at: standing.overdue_at.map(instant),
        order_id: transfer.ends().order_id.map(|id| id.to_string()).unwrap_or_default(),
    }
}

/// What operators decided of a transfer, and what became of that.
pub(super) fn resolved(saved: SavedResolution, transfer: &Transfer) -> v1::OperatorResolution {
    let resolution = match saved.resolution {
        Resolution::Credited => v1::Resolution::Credited,
        Resolution::Refused => v1::Resolution::Refused,
    };
    v1::OperatorResolution {
        resolution: resolution.into(),
        reason: saved.reason,
        resolved_at: Some(instant(saved.at)),
        contradicted_at: transfer.standing().contradicted_at.map(instant),
        acknowledged_at: saved.acknowledged.as_ref().map(|it| instant(it.at)),
        acknowledgement: saved.acknowledged.map(|it| it.reason).unwrap_or_default(),
    }
}

pub(super) fn resolution(
    request: &v1::ResolveTransferRequest,
    end_to_end_id: EndToEndId,
    caller: Caller,
    trace: TraceParent,
) -> Result<ResolveTransfer, Violation> {
    let resolution = match v1::Resolution::try_from(request.resolution) {
        Ok(v1::Resolution::Credited) => Resolution::Credited,
        Ok(v1::Resolution::Refused) => Resolution::Refused,
        Ok(v1::Resolution::Unspecified) | Err(_) => {
            let message = "the resolution must be CREDITED or REFUSED";
            return Err(Violation::invalid("resolution_unknown", "resolution", message));
        }
    };
    let reason = request.reason.clone();
    Ok(ResolveTransfer { caller, trace, end_to_end_id, resolution, reason })
}

pub(super) fn participant(participant: &Participant) -> v1::Participant {
    let protocol = match participant.protocol {
        Protocol::Native => v1::ParticipantProtocol::Native,
        Protocol::Classic => v1::ParticipantProtocol::Classic,
    };
    v1::Participant {
        ispb: participant.ispb.to_string(),
        code: participant.code.to_string(),
        name: participant.name.as_str().to_owned(),
        protocol: protocol.into(),
        position_limit_centavos: participant.position_limit.map(Money::centavos),
        enrolled_at: Some(instant(participant.enrolled_at)),
    }
}

pub(super) fn position(position: &Position) -> v1::Position {
    v1::Position {
        ispb: position.ispb.to_string(),
        position_centavos: position.amount.centavos(),
        reserved_centavos: position.reserved.centavos(),
    }
}

/// This protocol says in which unit the limit of a position is.
pub(super) fn named(broken: Violation) -> Violation {
    if broken.field() == "position_limit" { broken.on("position_limit_centavos") } else { broken }
}

pub(super) fn id(text: &str) -> Result<EndToEndId, Violation> {
    EndToEndId::parse(text)
}

fn optional_ispb(text: &str) -> Result<Option<Ispb>, Violation> {
    if text.is_empty() { Ok(None) } else { Ispb::parse(text).map(Some) }
}

pub(super) fn list(
    request: &v1::ListTransfersRequest,
    caller: Caller,
) -> Result<TransferList, Violation> {
    let unknown = |_unknown| {
        let message = "the state must be one of the listed states of a transfer";
        Violation::invalid("transfer_state_unknown", "state", message)
    };
    let state = match v1::TransferState::try_from(request.state).map_err(unknown)? {
        v1::TransferState::Unspecified => None,
        v1::TransferState::Pending => Some(TransferState::Pending),
        v1::TransferState::Confirmed => Some(TransferState::Confirmed),
        v1::TransferState::Completed => Some(TransferState::Completed),
        v1::TransferState::Rejected => Some(TransferState::Rejected),
        v1::TransferState::Expired => Some(TransferState::Expired),
    };
    Ok(TransferList {
        caller,
        of: optional_ispb(&request.ispb)?.map_or(TransfersOf::All, TransfersOf::bank),
        state,
        period: Period::default(),
        after: TransferPlace::of_token(&request.page_token)?,
        size: PageSize::asked(request.page_size.into())?,
    })
}

pub(super) fn enrolment(
    request: &v1::EnrolParticipantRequest,
    caller: Caller,
    trace: TraceParent,
) -> Result<EnrolParticipant, Violation> {
    let unknown = |_unknown| {
        let message = "the protocol must be NATIVE or CLASSIC";
        Violation::invalid("participant_protocol_unknown", "protocol", message)
    };
    let protocol = match v1::ParticipantProtocol::try_from(request.protocol).map_err(unknown)? {
        v1::ParticipantProtocol::Unspecified => None,
        v1::ParticipantProtocol::Native => Some(Protocol::Native),
        v1::ParticipantProtocol::Classic => Some(Protocol::Classic),
    };
    let limit = request.position_limit_centavos.map(Money::from_centavos);
    let position_limit = match (limit, request.no_position_limit) {
        (None, false) => LimitWish::AsItIs,
        (None, true) => LimitWish::Without,
        (Some(limit), false) => LimitWish::Most(limit),
        (Some(_), true) => {
            let message = "a bank has a position limit or none: give one of the two";
            let field = "no_position_limit";
            return Err(Violation::invalid("position_limit_ambiguous", field, message));
        }
    };
    Ok(EnrolParticipant {
        caller,
        trace,
        ispb: optional_ispb(&request.ispb)?,
        code: BankCode::parse(&request.code).map_err(|broken| broken.on("code"))?,
        name: ParticipantName::parse(&request.name)?,
        protocol,
        position_limit,
    })
}
