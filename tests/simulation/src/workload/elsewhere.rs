//! A bank that speaks the hub's own protocol and keeps its books elsewhere: what it orders is what
//! no bank of this city comes to order, and is refused. Of its books nobody here knows anything.

use std::sync::Arc;
use std::time::Duration;

use banking::application::books::Changes;
use banking::application::ports::Traced;
use banking::domain::{HubMessage, Party, Payment};
use banking::infrastructure::SOURCE;
use banking::infrastructure::kafka::{BANK_PREFIX, publish};
use shared_kernel::application::log::OutboundRecord;
use shared_kernel::application::{Clock as _, Ids as _};
use shared_kernel::domain::{AccountId, Amount, EndToEndId, Ispb};
use transfers::infrastructure::kafka::inbound::BANK_MESSAGES;

use super::founding::{Place, cpf};
use crate::city::City;
use crate::executor::WORLD;
use crate::world::SeededIds;

/// Its number, and that of a bank that nobody knows.
pub(super) const ELSEWHERE: u64 = 8;
const NOBODYS: u64 = 99;
/// The owners of its accounts, and of accounts that are not.
const OWNER: u64 = 80_000;
/// An order waits so long that it is not paid any more.
const TOO_LONG: Duration = Duration::from_hours(13);

fn bank(number: u64) -> Option<Ispb> {
    Ispb::parse(&format!("{number:08}")).ok()
}

/// Whether the hub tells that bank there, and nobody here reads it.
pub(super) fn is_topic(topic: &str) -> bool {
    let bank = topic.strip_prefix(BANK_PREFIX).and_then(|bank| bank.parse().ok());
    bank == Some(ELSEWHERE)
}

fn party(ispb: Ispb, account_id: AccountId) -> Option<Party> {
    let owner_name = "Somebody elsewhere".to_owned();
    Some(Party { ispb, account_id, owner_name, owner_tax_id: cpf(OWNER)? })
}

/// The order as its bank writes it.
fn written(city: &City, payment: &Payment) -> Option<OutboundRecord> {
    let message = HubMessage::Requested(Box::new(payment.clone()));
    let messages = vec![Traced { value: message, trace: city.trace() }];
    let events = publish::events(Changes { messages, ..Changes::default() }).ok()?;
    let id = SeededIds::new(&city.world).ordered();
    let now = city.log.clock().now();
    events.into_iter().next().map(|event| event.into_record("", SOURCE, id, now))
}

impl City {
    /// An order that must be refused: to itself, to a bank that nobody knows, to an account that
    /// its bank does not have, or one that has waited for half a day.
    fn order_from_elsewhere(&self, accounts: &[Place]) -> Option<Payment> {
        let (world, ids) = (&self.world, SeededIds::new(&self.world));
        let whim = &world.whim;
        let from = bank(ELSEWHERE)?;
        let (ispb, account) = whim.one_of(accounts)?;
        let other = AccountId::from_uuid(ids.random());
        let now = self.log.clock().now();
        let (to, account, ordered_at) = match whim.below(5) {
            0 => (from, other, now),
            1 => (bank(NOBODYS)?, other, now),
            2 => (ispb, other, now),
            3 => {
                let others = accounts.iter().filter(|(other, _)| *other != ispb);
                let others: Vec<Place> = others.copied().collect();
                (ispb, whim.one_of(&others)?.1, now)
            }
            _ => (ispb, account, now.checked_sub(TOO_LONG).ok()?),
        };
        let centavos = i64::try_from(whim.between(1, 40_000)).ok()?;
        Some(Payment {
            end_to_end_id: EndToEndId::new(from, ordered_at, ids.random().as_u128()),
            payer: party(from, AccountId::from_uuid(ids.random()))?,
            payee: party(to, account)?,
            payee_key: "elsewhere@example.com".to_owned(),
            payee_key_registered_as: None,
            amount: Amount::from_centavos(centavos).ok()?,
            description: "rent".to_owned(),
            ordered_at,
            deadline: ordered_at.saturating_add(Duration::from_secs(40)),
        })
    }

    /// Orders, as soon as the log takes it.
    async fn order_elsewhere(&self, payment: Payment) -> Option<()> {
        let record = written(self, &payment)?;
        let Payment { end_to_end_id: id, amount, ref payee, .. } = payment;
        let (payer, to) = (payment.payer.ispb, payee.clone());
        self.world.oracle().ordered_elsewhere(payment);
        loop {
            if let Some(at) = self.log.append(BANK_MESSAGES, &record) {
                self.world.say(WORLD, "elsewhere", || {
                    let (account, bank) = (to.account_id, to.ispb);
                    format!("bank {payer} orders {id}: {amount} to {account} at {bank}, on {at}")
                });
                return Some(());
            }
            self.world.executor.sleep(Duration::from_millis(500)).await;
        }
    }
}

/// The day of the customers of that bank.
pub(super) async fn customers(city: Arc<City>, accounts: Vec<Place>) {
    for _ in 0..city.world.whim.between(2, 5) {
        let pause = city.world.whim.time(Duration::ZERO, Duration::from_secs(20));
        city.world.executor.sleep(pause).await;
        if let Some(payment) = city.order_from_elsewhere(&accounts) {
            city.order_elsewhere(payment).await;
        }
    }
    city.journal().at_work -= 1;
}
