//! Owns users. Some cannot be read, which must stay their own trouble.

use async_graphql::{Context, EmptySubscription, ID, Object, Result, Schema, SimpleObject};

use super::{Caller, away, refused};

pub(crate) type People = Schema<Query, Mutation, EmptySubscription>;

/// A person who buys.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct User {
    id: ID,
    name: String,
    nickname: Option<String>,
}

pub(crate) struct Query;

#[Object]
impl Query {
    async fn me(&self, context: &Context<'_>) -> Option<User> {
        let Caller(name) = context.data_opt::<Caller>()?;
        Some(User { id: ID(format!("u-{name}")), name: name.clone(), nickname: None })
    }
    #[graphql(entity)]
    async fn user_by_id(&self, id: ID) -> Result<Option<User>> {
        match id.as_str() {
            "u-broken" => Err("column name does not exist".into()),
            "u-refused" => Err(refused("user_hidden", "This person wants to stay unknown.")),
            "u-away" => Err(away()),
            "u-panic" => panic!("a subgraph panicked"),
            "u-gone" => Ok(None),
            known => {
                let name = known.trim_start_matches("u-").to_owned();
                let nickname = (name == "ana").then(|| "aninha".to_owned());
                Ok(Some(User { id, name, nickname }))
            }
        }
    }
}

pub(crate) struct Mutation;

#[Object]
impl Mutation {
    async fn rename(&self, id: ID, name: String) -> User {
        User { id, name, nickname: None }
    }
}

pub(crate) fn schema() -> People {
    Schema::build(Query, Mutation, EmptySubscription).enable_federation().finish()
}
