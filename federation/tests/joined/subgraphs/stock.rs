//! Adds to products what the warehouse knows: a computed field that requires a foreign one, and
//! fields that fail, hang and panic.

use async_graphql::{Context, EmptyMutation, EmptySubscription, ID, Object, Result, Schema};

use super::{Caller, refused};

pub(crate) type Stock = Schema<Query, EmptyMutation, EmptySubscription>;

pub(crate) struct Product {
    id: ID,
    weight_grams: Option<i32>,
}

#[Object]
impl Product {
    async fn id(&self) -> &ID {
        &self.id
    }
    #[graphql(external)]
    async fn weight_grams(&self) -> Option<i32> {
        self.weight_grams
    }
    #[graphql(requires = "weightGrams")]
    async fn shipping_centavos(&self) -> Option<i32> {
        self.weight_grams.map(|grams| grams.saturating_mul(2))
    }
    async fn quantity(&self) -> Result<Option<i32>> {
        match self.id.as_str() {
            "p-2" => Err(refused("stock_unknown", "Nobody has counted this product.")),
            "p-3" => Err("the sensor of shelf 3 is broken".into()),
            _ => Ok(Some(7)),
        }
    }
    /// Never without a value, says the schema; product 2 has none.
    async fn shelf(&self) -> Result<String> {
        match self.id.as_str() {
            "p-2" => Err(refused("shelf_unknown", "This product has no shelf.")),
            _ => Ok("A".to_owned()),
        }
    }
    async fn asked_by(&self, context: &Context<'_>) -> Option<String> {
        context.data_opt::<Caller>().map(|Caller(name)| name.clone())
    }
    async fn hangs(&self) -> Option<i32> {
        std::future::pending().await
    }
    async fn panics(&self) -> Option<i32> {
        let weights: [i32; 0] = [];
        Some(weights[self.id.len()])
    }
}

pub(crate) struct Query;

#[Object]
impl Query {
    async fn warehouses(&self) -> Vec<String> {
        vec!["Recife".to_owned()]
    }
    #[graphql(entity)]
    async fn product_by_id(&self, #[graphql(key)] id: ID, weight_grams: Option<i32>) -> Product {
        Product { id, weight_grams }
    }
}

pub(crate) fn schema() -> Stock {
    Schema::build(Query, EmptyMutation, EmptySubscription).finish()
}
