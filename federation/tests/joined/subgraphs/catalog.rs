//! Owns products and bundles: an interface, a union, nested lists, an input object, hidden values.

use async_graphql::{
    EmptyMutation, EmptySubscription, Enum, ID, InputObject, Interface, Object, OneofObject,
    Result, Schema, Union,
};

pub(crate) type Catalog = Schema<Query, EmptyMutation, EmptySubscription>;

/// What kind of thing a product is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum Category {
    Book,
    Toy,
    #[graphql(inaccessible)]
    Hidden,
}

/// A thing that is sold.
#[derive(Debug, Clone)]
pub(crate) struct Product {
    number: u32,
}

#[Object]
impl Product {
    async fn id(&self) -> ID {
        ID(format!("p-{}", self.number))
    }
    async fn name(&self) -> String {
        format!("Product {}", self.number)
    }
    async fn category(&self) -> Option<Category> {
        Some(match self.number {
            9 => Category::Hidden,
            number if number % 2 == 0 => Category::Toy,
            _ => Category::Book,
        })
    }
    #[graphql(shareable)]
    async fn weight_grams(&self) -> Option<i32> {
        let known = (self.number != 4).then(|| self.number.saturating_mul(100));
        known.and_then(|grams| grams.try_into().ok())
    }
    async fn price(&self, #[graphql(default = "BRL")] currency: String) -> String {
        format!("{}.00 {currency}", self.number)
    }
    async fn related(&self) -> Vec<Product> {
        vec![Product { number: self.number.saturating_add(1) }, Product { number: 1 }]
    }
}

/// Products that are sold together.
#[derive(Debug, Clone)]
pub(crate) struct Bundle;

#[Object]
impl Bundle {
    async fn id(&self) -> ID {
        ID("b-1".to_owned())
    }
    async fn name(&self) -> String {
        "Bundle 1".to_owned()
    }
    async fn products(&self) -> Vec<Product> {
        vec![product(1), product(2)]
    }
}

/// Whatever has a name in the shop.
#[derive(Debug, Clone, Interface)]
#[graphql(field(name = "id", ty = "ID"), field(name = "name", ty = "String"))]
pub(crate) enum Item {
    Product(Product),
    Bundle(Bundle),
}

/// Whatever a search finds.
#[derive(Debug, Clone, Union)]
pub(crate) enum Found {
    Product(Product),
    Bundle(Bundle),
}

/// Which products are wanted.
#[derive(Debug, InputObject)]
pub(crate) struct ProductFilter {
    category: Option<Category>,
    #[graphql(default)]
    words: Vec<String>,
    #[graphql(default = 5)]
    number_max: u32,
}

/// One way to name a product.
#[derive(Debug, OneofObject)]
pub(crate) enum ProductName {
    Id(ID),
    Number(u32),
}

pub(crate) struct Query;

fn known(id: &str) -> Option<Product> {
    let number = id.strip_prefix("p-")?.parse().ok()?;
    (number < 1_000).then_some(Product { number })
}

#[Object]
impl Query {
    async fn product(&self, id: ID) -> Option<Product> {
        known(&id)
    }
    async fn product_named(&self, by: ProductName) -> Option<Product> {
        match by {
            ProductName::Id(id) => known(&id),
            ProductName::Number(number) => Some(Product { number }),
        }
    }
    async fn products(
        &self,
        #[graphql(default = 3)] first: u32,
        filter: Option<ProductFilter>,
    ) -> Vec<Product> {
        let most = filter.as_ref().map_or(u32::MAX, |filter| filter.number_max);
        let words = filter.map_or(0, |filter| filter.words.len());
        let skipped = u32::try_from(words).unwrap_or(u32::MAX);
        (1..=first.min(most)).skip_while(|number| *number <= skipped).map(product).collect()
    }
    async fn items(&self) -> Vec<Item> {
        vec![Item::Product(product(1)), Item::Bundle(Bundle)]
    }
    async fn search(&self, #[graphql(default)] text: String) -> Vec<Found> {
        match text.as_str() {
            "nothing" => Vec::new(),
            _ => vec![Found::Bundle(Bundle), Found::Product(product(2))],
        }
    }
    async fn shelves(&self) -> Vec<Vec<Product>> {
        vec![vec![product(1), product(2)], vec![], vec![product(1)]]
    }
    /// Products by their ids; the shop's own, so a missing one is an error.
    async fn featured(&self) -> Result<Product> {
        Err("the table featured_product is gone".into())
    }
    #[graphql(deprecation = "Ask for `products`.")]
    async fn first_product(&self) -> Product {
        product(1)
    }
    #[graphql(entity)]
    async fn product_by_id(&self, id: ID) -> Result<Option<Product>> {
        match id.as_str() {
            "p-broken" => Err("row 17 of product is unreadable".into()),
            id => Ok(known(id)),
        }
    }
}

fn product(number: u32) -> Product {
    Product { number }
}

pub(crate) fn schema() -> Catalog {
    Schema::build(Query, EmptyMutation, EmptySubscription).finish()
}
