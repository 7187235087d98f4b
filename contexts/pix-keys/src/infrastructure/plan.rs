//! What the directory is, as the kernel wants to know it: schema, migrations, topics.

use shared_kernel::infrastructure::ContextPlan;
use shared_kernel::infrastructure::kafka::{Retention, TopicPlan};
use shared_kernel::infrastructure::postgres::Migration;
use shared_kernel::migration;

use super::kafka::published::{self, Directory};
use super::kafka::{READERS, inbound};

/// The steps of the schema, oldest first.
pub const MIGRATIONS: &[Migration] = &[
    migration!("pix-keys", "2026-11-20_directory"),
    migration!("pix-keys", "2026-11-30_registered_as"),
];

/// The topics that must be there: the directory's own, and those of others that it reads, made
/// with their owners' settings where the directory is the first to start.
pub fn topics() -> Vec<TopicPlan> {
    let read = [inbound::PARTICIPANTS_TOPIC, inbound::ACCOUNTS_TOPIC];
    let read = read.into_iter().map(|name| TopicPlan::new(name, Retention::Forever));
    TopicPlan::all_of::<Directory>().into_iter().chain(read).collect()
}

/// The whole plan.
pub fn plan() -> ContextPlan {
    ContextPlan {
        name: "pix-keys",
        schema: "pix_keys",
        source: published::SOURCE,
        migrations: MIGRATIONS,
        topics: topics(),
        readers: READERS,
    }
}
