//! What a connection is told, and who may be told it.

use diesel::QueryableByName;
use diesel::sql_types::Text;
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use shared_kernel::infrastructure::postgres::{Database, DatabaseSettings, statement};

use crate::world::World;

#[derive(QueryableByName)]
struct Shown {
    #[diesel(sql_type = Text)]
    lc_messages: String,
}

async fn language(url: String) -> String {
    let database = Database::new(&DatabaseSettings { url, connections_max: 2 }).unwrap();
    let mut connection = database.connection().await.unwrap();
    let shown: Shown = statement("SHOW lc_messages").get_result(&mut connection).await.unwrap();
    shown.lc_messages
}

#[tokio::test]
async fn errors_are_told_in_english_and_who_may_not_choose_is_not_kept_out() {
    let world = World::fresh().await;
    let url = world.servers.database_url.clone();
    let (_, name) = url.rsplit_once('/').unwrap();
    let (_, address) = url.split_once('@').unwrap();
    let mut owner = world.sessions.database.session().await.unwrap();
    let prepare = format!(
        "ALTER DATABASE {name} SET lc_messages = 'POSIX'; CREATE ROLE {name} LOGIN PASSWORD 'test'"
    );
    owner.batch_execute(&prepare).await.unwrap();
    let as_owner = language(url.clone()).await;
    let as_guest = language(format!("postgres://{name}:test@{address}")).await;
    owner.batch_execute(&format!("DROP ROLE {name}")).await.unwrap();
    assert_eq!((as_owner.as_str(), as_guest.as_str()), ("C", "POSIX"));
}

#[derive(QueryableByName)]
struct Limit {
    #[diesel(sql_type = Text)]
    idle_session_timeout: String,
}

#[tokio::test]
async fn a_session_with_a_lock_may_be_silent_for_a_minute_and_a_listener_for_ever() {
    let world = World::fresh().await;
    let database = &world.sessions.database;
    let mut shown = Vec::new();
    for mut session in [database.session().await.unwrap(), database.listener().await.unwrap()] {
        let ask = statement("SHOW idle_session_timeout");
        let limit: Limit = ask.get_result(&mut session).await.unwrap();
        shown.push(limit.idle_session_timeout);
    }
    assert_eq!(shown, ["1min", "0"]);
}
