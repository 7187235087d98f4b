//! Owns reviews, and adds them to products and users: mutations, subscriptions, null keys.

use async_graphql::{
    ComplexObject, ID, InputObject, Object, Result, Schema, SimpleObject, Subscription,
};
use futures::stream::{self, Stream};

use super::refused;

pub(crate) type Reviews = Schema<Query, Mutation, Subscription>;

/// A person who buys.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(complex)]
pub(crate) struct User {
    id: ID,
}

#[ComplexObject]
impl User {
    async fn reviews(&self, #[graphql(default = 2)] first: usize) -> Option<Vec<Review>> {
        Some(all().into_iter().take(first).collect())
    }
}

#[derive(Debug, Clone, SimpleObject)]
#[graphql(complex)]
pub(crate) struct Product {
    id: ID,
}

#[ComplexObject]
impl Product {
    async fn reviews(&self) -> Option<Vec<Review>> {
        Some(all().into_iter().filter(|review| review.product.id == self.id).collect())
    }
}

/// What somebody says of a product.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct Review {
    id: ID,
    stars: i32,
    author: Option<User>,
    product: Product,
}

/// A review to be added.
#[derive(Debug, InputObject)]
pub(crate) struct NewReview {
    product: ID,
    stars: i32,
}

fn review(number: u32, stars: i32, author: Option<&str>, product: &str) -> Review {
    Review {
        id: ID(format!("r-{number}")),
        stars,
        author: author.map(|id| User { id: id.into() }),
        product: Product { id: product.into() },
    }
}

fn all() -> Vec<Review> {
    vec![
        review(1, 5, Some("u-ana"), "p-1"),
        review(2, 4, Some("u-bia"), "p-1"),
        review(3, 1, None, "p-2"),
        review(4, 2, Some("u-ana"), "p-3"),
    ]
}

pub(crate) struct Query;

#[Object]
impl Query {
    async fn reviews(&self) -> Vec<Review> {
        all()
    }
    /// Reviews by the people of these ids, in this order.
    async fn reviews_by(&self, authors: Vec<ID>) -> Vec<Review> {
        let numbered = (1..).zip(authors);
        numbered.map(|(number, id)| review(number, 3, Some(&id), "p-1")).collect()
    }
    /// Reviews of the products of these ids; a review always has its product.
    async fn reviews_of(&self, products: Vec<ID>) -> Vec<Option<Review>> {
        let numbered = (1..).zip(products);
        numbered.map(|(number, id)| Some(review(number, 3, None, &id))).collect()
    }
    #[graphql(entity)]
    async fn user_by_id(&self, id: ID) -> User {
        User { id }
    }
    #[graphql(entity)]
    async fn product_by_id(&self, id: ID) -> Product {
        Product { id }
    }
}

pub(crate) struct Mutation;

#[Object]
impl Mutation {
    async fn add_review(&self, input: NewReview) -> Result<Review> {
        match input.stars {
            1..=5 => Ok(review(9, input.stars, Some("u-ana"), &input.product)),
            _ => Err(refused("stars_invalid", "A review has one star to five.")),
        }
    }
}

pub(crate) struct Subscription;

#[Subscription]
impl Subscription {
    async fn review_added(&self, authors: Vec<ID>) -> impl Stream<Item = Review> {
        let numbered = (1..).zip(authors);
        stream::iter(numbered.map(|(number, id)| review(number, 5, Some(&id), "p-1")))
    }
    /// One event, and then none for ever.
    async fn quiet(&self) -> impl Stream<Item = i32> {
        futures::StreamExt::chain(stream::iter([1]), stream::pending())
    }
}

pub(crate) fn schema() -> Reviews {
    Schema::build(Query, Mutation, Subscription)
        .enable_federation()
        .enable_subscription_in_federation()
        .finish()
}
