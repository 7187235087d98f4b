//! SQL text with typed binds that the connection prepares once and keeps.
//!
//! Diesel's own `sql_query` is never cached: it costs a second round trip and a plan each time.
//! The text of a [`Statement`] is static, so its prepared form is kept per connection. Array binds
//! (`unnest`) keep one text for batches of every size.

use std::marker::PhantomData;

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, Untyped};
use diesel::{QueryResult, RunQueryDsl};

/// A statement without binds.
#[derive(Clone, Copy, Debug)]
pub struct Statement(&'static str);

/// A statement with one more bind.
#[derive(Clone, Copy, Debug)]
pub struct Bound<Q, V, ST> {
    statement: Q,
    value: V,
    sql_type: PhantomData<ST>,
}

/// A statement over `text`, whose parameters `$1`, `$2`, … are bound in order.
pub fn statement(text: &'static str) -> Statement {
    Statement(text)
}

/// Adding parameters.
pub trait Bind: Sized {
    /// Binds the next parameter as SQL type `ST`.
    fn bind<ST, V>(self, value: V) -> Bound<Self, V, ST> {
        Bound { statement: self, value, sql_type: PhantomData }
    }
}

impl Bind for Statement {}
impl<Q, V, ST> Bind for Bound<Q, V, ST> {}

impl QueryFragment<Pg> for Statement {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(self.0);
        Ok(())
    }
}

impl<Q, V, ST> QueryFragment<Pg> for Bound<Q, V, ST>
where
    Pg: HasSqlType<ST>,
    Q: QueryFragment<Pg>,
    V: ToSql<ST, Pg>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.statement.walk_ast(out.reborrow())?;
        out.push_bind_param_value_only(&self.value)
    }
}

impl QueryId for Statement {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q, V, ST> QueryId for Bound<Q, V, ST> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Statement {
    type SqlType = Untyped;
}

impl<Q, V, ST> Query for Bound<Q, V, ST> {
    type SqlType = Untyped;
}

impl<C> RunQueryDsl<C> for Statement {}
impl<C, Q, V, ST> RunQueryDsl<C> for Bound<Q, V, ST> {}
